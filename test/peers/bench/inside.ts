/** The bench proper. It runs in namespaces of its own, which take away all that it leaves. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { outputOf } from "../../../fixtures/command.ts";
import { bigImage } from "../../../fixtures/images/big-image.ts";
import { tinyImage } from "../../../fixtures/images/tiny-image.ts";
import { type Registry, startRegistry } from "../../../fixtures/registry/registry.ts";
import { type Group, makeGroup } from "../cgroup.ts";
import { startContainerd } from "../tools/containerd.ts";
import { startDocker } from "../tools/docker.ts";
import { openPodman } from "../tools/podman.ts";
import type { Tool, ToolOptions } from "../tools/tool.ts";
import { openTsimg, type Tsimg } from "../tools/tsimg.ts";
import { hideMachineState, makeArena } from "./arena.ts";
import { fileCases, listCases, upToDateCases } from "./budget-suites.ts";
import { waitingContainers, waitingLines } from "./detached.ts";
import { placeDrivers } from "./driver-places.ts";
import { driverLines } from "./driver-report.ts";
import { driverRounds } from "./driver-rounds.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { type BenchOptions, parseOptions, type SuiteName } from "./options.ts";
import { machineLines, memoryLines, resumeLines, timeLines } from "./report.ts";
import { resumedPulls } from "./resume.ts";
import { memoryRounds, type RoundsOptions, timeRounds } from "./rounds.ts";
import { bridgeCases, runCases } from "./run-suites.ts";
import { memoryCases, pullCases, type Stage, unpackCases } from "./suites.ts";

const RUNS: Readonly<Record<SuiteName, number>> = {
  ...{ pull: 5, unpack: 5, run: 20, bridge: 20, detached: 1, memory: 3 },
  ...{ list: 20, uptodate: 5, file: 3, resume: 1, drivers: 3 },
};
const TITLES: Readonly<Record<SuiteName, string>> = {
  pull: "pull of the big image from a loopback registry until it can be run",
  unpack: "unpack of the big image from local files",
  run: "run of `true` in the tiny image, without network",
  bridge: "run of `true` in the tiny image, with an address on a bridge",
  detached: "containers that wait, twenty of each (PSS of what attends them)",
  memory: "memory of a pull of the big image (PSS of all processes)",
  list: "200 images, 200 containers, against a Node that does nothing",
  uptodate: "pull of a tag that is up to date",
  file: "unpack of one file of 1 GiB that doesn't compress",
  resume: "pull of the big image killed at one half, then run again",
  drivers: "the big image on each storage driver of tsimg",
};

/** @param work an existing directory; its name is that of the control group, too */
async function main(work: string, group: string, options: BenchOptions): Promise<void> {
  await outputOf(["ip", "link", "set", "lo", "up"]);
  const machine = await describeMachine();
  for (const line of machineLines(machine)) console.log(line);
  warnIfBusy(machine);
  await hideMachineState();
  const arena = await makeArena(work, options);
  const home = makeGroup(group, "bench");
  home.enter();
  await using registry = await startRegistry({ dir: join(work, "registry") });
  await using disposables = new AsyncDisposableStack();
  const place = { arena, work, group };
  const withPeers = options.only.some((suite) => suite !== "drivers");
  const tools = await openTools(place, withPeers, disposables);
  const stage: Stage = {
    arena,
    ...tools,
    placeDrivers: () => placeDrivers({ ...place, disposables, progress: console.error }),
    plain: makeGroup(group, "plain"),
    big: await staged(await bigImage(), "big"),
    tiny: await staged(await tinyImage(), "tiny"),
  };
  async function staged(layout: string, name: string) {
    return { layout, reference: await registry.push(layout, name) };
  }

  const settle = () => outputOf(["sync", "-f", arena]);
  const json: Record<string, unknown> = { machine, backing: options.backing };
  for (const suite of options.only) {
    const runs = options.runs ?? RUNS[suite];
    const title = `${TITLES[suite]}, ${options.backing}, ${runs} runs`;
    const rounds: RoundsOptions = { runs, settle, home, progress: console.error };
    json[suite] = await runSuite(suite, title, stage, rounds, registry);
  }
  if (options.json !== undefined) await writeFile(options.json, JSON.stringify(json, null, 2));
  warnIfBusy(machine);
}

async function runSuite(
  suite: SuiteName,
  title: string,
  stage: Stage,
  rounds: RoundsOptions,
  registry: Registry,
) {
  if (suite === "resume") {
    const results = await resumedPulls(stage, registry.port);
    rounds.home.enter();
    for (const line of resumeLines(TITLES.resume, results)) console.log(line);
    return results;
  }
  if (suite === "detached") {
    const results = await waitingContainers(stage, rounds.progress);
    rounds.home.enter();
    for (const line of waitingLines(TITLES.detached, results)) console.log(line);
    return results;
  }
  if (suite === "drivers") {
    const drivers = await stage.placeDrivers();
    const results = await driverRounds(drivers, stage.big.reference, rounds);
    for (const line of driverLines(title, results)) console.log(line);
    return Object.fromEntries(results);
  }
  if (suite === "memory") {
    const results = await memoryRounds(memoryCases(stage), rounds);
    for (const line of memoryLines(title, results)) console.log(line);
    return Object.fromEntries(results);
  }
  const cases = {
    ...{ pull: pullCases, unpack: unpackCases, run: runCases, bridge: bridgeCases },
    ...{ list: listCases, uptodate: upToDateCases, file: fileCases },
  }[suite];
  const results = await timeRounds(await cases(stage, registry), rounds);
  for (const line of timeLines({ title, results })) console.log(line);
  return Object.fromEntries(results);
}

interface Place {
  readonly arena: string;
  readonly work: string;
  readonly group: string;
}

/** A tool that doesn't start is reported and left out. */
async function openTools(
  place: Place,
  withPeers: boolean,
  disposables: AsyncDisposableStack,
): Promise<Pick<Stage, "tools" | "tsimg">> {
  const tools: { tool: Tool; group: Group }[] = [];
  async function open<T extends Tool>(name: string, start: (options: ToolOptions) => Promise<T>) {
    const group = makeGroup(place.group, name);
    const store = join(place.arena, name);
    const state = join(place.work, name);
    await mkdir(store);
    await mkdir(state);
    const { containers: cgroupParent, launch } = group;
    try {
      const tool = await start({ store, state, cgroupParent, launch });
      disposables.use(tool);
      tools.push({ tool, group });
      return { tool, group };
    } catch (error) {
      console.error(`${name} is left out: ${(error as Error).message}`);
      return undefined;
    }
  }
  const tsimg = await open<Tsimg>("tsimg", openTsimg);
  if (!withPeers) return { tools, tsimg };
  await open("docker", (options) => startDocker(options, true));
  await open("containerd", startContainerd);
  await open("podman", openPodman);
  return { tools, tsimg };
}

function warnIfBusy({ load }: Machine): void {
  if (load > 0.5) {
    console.error(`warning: the load was ${load} at the start; don't record these numbers`);
  }
}

const [work = "", group = "", ...flags] = process.argv.slice(2);
await main(work, group, parseOptions(flags));
