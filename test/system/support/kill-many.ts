import { join } from "node:path";
import { expect } from "vitest";
import { containerIds, expectTruth, killAt, strayed } from "./after-kill.ts";
import { busyboxLayer, fillerLayer } from "./busybox-image.ts";
import type { DriverKind } from "./driver-places.ts";
import { ImageServer } from "./image-server.ts";
import { lastingTraces } from "./leftovers.ts";
import { rowsOf } from "./store.ts";
import { temporaryDirectory } from "./temporary.ts";
import { Tsimg } from "./tsimg.ts";

const KEPT = "kept";

/** What is killed in turn; the image is there and a container of it, unless it says otherwise. */
const VICTIMS: readonly ((image: string, driver: string) => Victim)[] = [
  (image, driver) => ({ command: ["pull", "-q", "--driver", driver, image], afresh: true }),
  (image, driver) => ({
    command: ["run", "--rm", "--driver", driver, image, "sh", "-c", "echo x >/x"],
  }),
  () => ({ command: ["rm", "-f", KEPT] }),
  (image) => ({ command: ["rmi", "-f", image], alone: true }),
];

interface Victim {
  readonly command: readonly string[];
  /** From an empty store. */
  readonly afresh?: true;
  /** Without a container. */
  readonly alone?: true;
}

/** Kills pulls, runs and removals at random moments, and expects the next command to put all right. */
export async function killMany(kind: DriverKind, runs: number): Promise<void> {
  await using server = await ImageServer.start();
  using directory = temporaryDirectory();
  const tsimg = new Tsimg(join(directory.path, "store"));
  const image = server.add("crash", {
    layers: [busyboxLayer(), fillerLayer("a"), fillerLayer("b"), fillerLayer("c", 1000)],
  });
  const ids = new Set<string>();
  const usual = new Map<number, number>();
  {
    await using place = await kind.prepare(tsimg);
    for (let run = 0; run < runs + VICTIMS.length; run++) {
      const turn = run % VICTIMS.length;
      const victim = VICTIMS[turn]?.(image, place.driver);
      if (victim === undefined) continue;
      await setStage(tsimg, image, place.driver, victim);
      const expected = usual.get(turn);
      // The first time each runs to its end, to know how long it takes.
      if (expected === undefined) usual.set(turn, await timeOf(tsimg, victim.command));
      else await killAt(tsimg, victim.command, Math.random() * 1.1 * expected);
      for (const id of containerIds(tsimg.root)) ids.add(id);
      const what = `${run}: ${victim.command.join(" ")}`;
      await expectTruth(tsimg, image, place.driver, what);
      expect(strayed(tsimg.root, place.driver), what).toEqual([]);
    }
    await tsimg.clear();
    expect(strayed(tsimg.root, place.driver)).toEqual([]);
  }
  expect(await lastingTraces(tsimg.root, [...ids])).toEqual([]);
  expect(rowsOf(tsimg.root)).toEqual([]);
}

async function setStage(
  tsimg: Tsimg,
  image: string,
  driver: string,
  victim: Victim,
): Promise<void> {
  if (victim.afresh === true || victim.alone === true) await tsimg.clear();
  if (victim.afresh === true) return;
  await tsimg.output("pull", "-q", "--driver", driver, image);
  if (victim.alone === true) return;
  await tsimg.run("rm", "-f", KEPT);
  await tsimg.output("run", "--driver", driver, "--name", KEPT, image, "true");
}

async function timeOf(tsimg: Tsimg, command: readonly string[]): Promise<number> {
  const start = performance.now();
  await tsimg.output(...command);
  return performance.now() - start;
}
