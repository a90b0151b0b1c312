import { setTimeout as sleep } from "node:timers/promises";
import { outputOf } from "../../../fixtures/command.ts";
import type { Invocation } from "../tools/tool.ts";
import type { PlacedDriver, Space } from "./driver-places.ts";
import { finish, SETTLE_MS } from "./measure.ts";
import { timeElsewhereMs, timeOf } from "./processor-time.ts";
import { type RoundsOptions, rotated } from "./rounds.ts";

/** All in milliseconds. */
export interface DriverTiming {
  readonly wallMs: number;
  /** Of all processes of tsimg. */
  readonly userMs: number;
  readonly systemMs: number;
  /** Of the daemon that is the file system. */
  readonly daemonMs: number | undefined;
  /** Of everything else on the machine: kernel threads, when nothing else is going on. */
  readonly elsewhereMs: number;
}

export interface DriverFigures {
  readonly pull: DriverTiming[];
  /** A pull that finds all blobs in the store. */
  readonly unpack: DriverTiming[];
  readonly start: DriverTiming[];
  readonly remove: DriverTiming[];
  /** What the image takes, taken once, on the new file system. */
  space: Space | undefined;
}

/** In each round, so that what is quick is measured more often. */
const STARTS = 5;

/**
 * Has every driver pull, start, remove and unpack an image once a round, each round beginning
 * with another driver. One that fails leaves the tables.
 *
 * @param image where the registry has it
 */
export async function driverRounds(
  drivers: readonly PlacedDriver[],
  image: string,
  options: RoundsOptions,
): Promise<ReadonlyMap<string, DriverFigures>> {
  const results = new Map(drivers.map(({ name }) => [name, noFigures()]));
  for (let round = 0; round <= options.runs; round++) {
    for (const driver of rotated(drivers, round)) {
      const figures = results.get(driver.name);
      if (figures === undefined) continue;
      try {
        // The first round warms up; of what it measures only the space counts.
        const measured = round === 0 ? noFigures() : figures;
        await cycle(driver, image, measured, round === 0);
        if (round === 0) figures.space = measured.space;
      } catch (error) {
        results.delete(driver.name);
        options.progress(`${driver.name} is left out: ${(error as Error).message}`);
      } finally {
        options.home.enter();
      }
    }
  }
  return results;
}

/** From an empty store to an empty store. @param isNew whether the file system is, too */
async function cycle(
  place: PlacedDriver,
  image: string,
  figures: DriverFigures,
  isNew: boolean,
): Promise<void> {
  const { driver } = place;
  const pull = place.command("pull", "--quiet", "--driver", driver, image);
  const run = ["run", "--rm", "--network", "none", "--driver", driver, image, "true"];
  const before = isNew ? await place.space() : undefined;
  figures.pull.push(await time(place, pull));
  if (before !== undefined) figures.space = difference(before, await place.space());
  for (let start = 0; start < STARTS; start++)
    figures.start.push(await time(place, place.command(...run)));
  figures.remove.push(await time(place, place.command("rmi", "--driver", driver, image)));
  figures.unpack.push(await time(place, pull));
  await outcome(place.command("rmi", image));
}

async function time(place: PlacedDriver, invocation: Invocation): Promise<DriverTiming> {
  await place.settle();
  place.group.enter();
  const before = reading(place);
  const own = process.cpuUsage();
  const wallMs = await finish(invocation);
  await sleep(SETTLE_MS);
  const { user, system } = process.cpuUsage(own);
  const after = reading(place);
  return {
    wallMs,
    userMs: Math.max(0, after.userMs - before.userMs - user / 1e3),
    systemMs: Math.max(0, after.systemMs - before.systemMs - system / 1e3),
    daemonMs: after.daemonMs === undefined ? undefined : after.daemonMs - (before.daemonMs ?? 0),
    elsewhereMs: Math.max(0, after.elsewhereMs - before.elsewhereMs),
  };
}

function reading({ group, daemon }: PlacedDriver) {
  const served = daemon === undefined ? undefined : timeOf(daemon);
  return {
    ...timeOf(group),
    daemonMs: served === undefined ? undefined : served.userMs + served.systemMs,
    elsewhereMs: timeElsewhereMs(group),
  };
}

function difference(before: Space, after: Space): Space {
  const inodes =
    after.inodes === undefined || before.inodes === undefined
      ? undefined
      : after.inodes - before.inodes;
  return { bytes: after.bytes - before.bytes, inodes };
}

async function outcome({ argv, env }: Invocation): Promise<void> {
  await outputOf(argv, { env: { ...process.env, ...env } });
}

function noFigures(): DriverFigures {
  return { pull: [], unpack: [], start: [], remove: [], space: undefined };
}
