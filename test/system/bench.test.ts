import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readResults } from "../../src/bench/results/parse-results.ts";
import type { MeasureResults, Results } from "../../src/bench/results/results.ts";
import { missingForZfs, testPool } from "../conformance/support/zfs-fuse.ts";
import { missing } from "../peers/requirements.ts";
import { lastingTraces } from "./support/leftovers.ts";
import { type TemporaryDirectory, temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

const absent =
  missingForZfs() ?? missing(["mkfs.ext4", "mkfs.btrfs", "mkfs.xfs", "mount", "busybox"]);

let directory: TemporaryDirectory;
let tsimg: Tsimg;
beforeEach(() => {
  directory = temporaryDirectory();
  tsimg = new Tsimg(join(directory.path, "store"));
});
afterEach(async () => {
  using gone = directory;
  expect(await lastingTraces(gone.path)).toEqual([]);
  expect(workspaces()).toEqual([]);
});

/** What benches that have not cleaned up have left. */
function workspaces(): readonly string[] {
  const all = join(tsimg.root, "bench");
  return existsSync(all) ? readdirSync(all) : [];
}

it("ls names every suite and where it comes from", async () => {
  const list = await tsimg.output("bench", "ls");
  expect(list).toMatch(/^SUITE +USUAL +QUESTION\n/);
  for (const suite of ["lifecycle", "copyup", "depth", "containerd16", "tree", "density"])
    expect(list).toMatch(new RegExp(`\n${suite} +yes +.*\n +after .*\n`));
  const lines = (await tsimg.output("bench", "ls", "--format", "json")).trimEnd().split("\n");
  expect(lines.map((line) => Object.keys(JSON.parse(line)))).toContainEqual(
    expect.arrayContaining(["Name", "Usual", "Question", "Method", "Source"]),
  );
});

it("mistakes are told before anything is made", async () => {
  const mistakes: readonly [readonly string[], RegExp][] = [
    [["nothing"], /there is no suite 'nothing'\nhint: there are .*copyup/],
    [["depth", "--driver", "overlay3"], /there is no storage driver 'overlay3'\nhint: .*overlay2/],
    [["depth", "--time-budget", "soon"], /90s, 10m/],
    [["depth", "--layers", "0"], /whole numbers from 1/],
    [["depth", "--compare", join(directory.path, "none")], /can't read .*none': ENOENT/],
    [["depth", "--compare", "package.json"], /'package.json' holds no bench results: .*format/],
  ];
  for (const [args, message] of mistakes) {
    const { status, stderr } = await tsimg.run("bench", ...args);
    expect(stderr.toString()).toMatch(message);
    expect(status).toBe(125);
  }
  expect(existsSync(tsimg.root)).toBe(false);
});

describe.skipIf(absent !== undefined)(`a bench ${absent ?? ""}`, () => {
  // The daemon is the tests' own, which may run beside others that use it.
  beforeEach((context) => {
    const own = testPool(64);
    context.onTestFinished(() => own[Symbol.dispose]());
  });

  it("measures every suite, and writes it all down", async () => {
    const out = join(directory.path, "out");
    // One for each form in which drivers take layers.
    const drivers = ["overlay2", "erofs", "btrfs"];
    const amount = ["--runs", "1", "--layers", "1,3", "--parallel", "2", "--time-budget", "5s"];
    const options = ["--driver", drivers.join(","), ...amount, "--format", "json"];
    const text = await tsimg.output("bench", "all", ...options, "--out", out);
    const results = readResults(join(out, "results.json"));
    expect(JSON.parse(text)).toEqual(results);
    expect(results.complete).toBe(true);
    expect(results.places.map(({ name }) => name)).toEqual(drivers);
    const listed = (await tsimg.output("bench", "ls", "--format", "json")).trimEnd().split("\n");
    const suites = listed.map((line) => JSON.parse(line).Name);
    expect(results.suites.map(({ name }) => name)).toEqual(suites);
    for (const { measures, notes } of results.suites) {
      expect(notes.filter(({ text: note }) => note.includes("left out"))).toEqual([]);
      for (const driver of drivers) expect(measuredOn(measures, driver)).toBeGreaterThan(3);
    }
    for (const file of ["results.csv", "report.md", "report.html"])
      expect(readFileSync(join(out, file), "utf8").length).toBeGreaterThan(10_000);
  }, 300_000);

  it("has ZFS served by the daemon that it finds, and marks its figures", async () => {
    const drivers = ["--driver", "vfs,reflink,zfs,zfs"];
    const options = [...drivers, "--runs", "1", "--format", "json"];
    const text = await tsimg.output("bench", "containerd16", "density", ...options);
    const results = JSON.parse(text) as Results;
    expect(results.places.map(({ name }) => name)).toEqual([
      "vfs",
      "reflink",
      "zfs (FUSE)",
      "zfs (FUSE) #2",
    ]);
    expect(results.places[2]?.notes.join()).toMatch(/says nothing of ZFS in the kernel/);
    for (const { measures } of results.suites)
      expect(measuredOn(measures, "zfs (FUSE) #2")).toBeGreaterThan(3);
  });

  it("works in a corner of a pool that is named, and leaves it as it was", async () => {
    await tsimg.output("pool", "create", "mine", "--driver", "btrfs", "--size", "8G");
    try {
      const pool = join(tsimg.root, "pools/mine");
      writeFileSync(join(pool, "precious"), "data");
      const drivers = ["--driver", "btrfs:mine,overlay2:mine,vfs"];
      const options = [...drivers, "--runs", "1", "--format", "json"];
      const text = await tsimg.output("bench", "containerd16", ...options);
      const { places } = JSON.parse(text) as Results;
      expect(places.map(({ name }) => name)).toEqual(["btrfs:mine", "overlay2:mine", "vfs"]);
      expect(readdirSync(pool)).toEqual(["precious"]);
      const { status, stderr } = await tsimg.run("bench", "depth", "--driver", "zfs:mine");
      expect(stderr.toString()).toMatch(/driver zfs can't use btrfs pool 'mine'/);
      expect(status).toBe(125);
    } finally {
      await tsimg.output("pool", "rm", "--force", "mine");
    }
  });

  it("the same seed makes the same work", async () => {
    const run = async (seed: string) => {
      const args = ["density", "--driver", "overlay2,vfs", "--runs", "1", "--seed", seed];
      const text = await tsimg.output("bench", ...args, "--format", "json");
      return medians(JSON.parse(text) as Results, "the image on disk");
    };
    const first = await run("7");
    expect(first.size).toBe(2);
    expect(await run("7")).toEqual(first);
  });

  it("Ctrl-C ends it after a step, and shows what was measured", async () => {
    const bench = start("containerd16", "--driver", "overlay2,btrfs", "--time-budget", "10m");
    await bench.said(/containerd16/);
    await sleep(4000);
    bench.child.kill("SIGINT");
    const { status, stdout } = await bench.end();
    expect(status).toBe(130);
    const results = JSON.parse(stdout) as Results;
    expect(results.complete).toBe(false);
    expect(medians(results, "all 16 layers, flushed").size).toBe(2);
  });

  const everything = ["--driver", "overlay2,erofs,btrfs,zfs,reflink,vfs", "--time-budget", "10m"];

  it("killed, the measuring process leaves nothing behind it", async () => {
    const bench = start("lifecycle", ...everything);
    await bench.said(/lifecycle/);
    await sleep(3000);
    const [measuring] = childrenOf(bench.child.pid ?? 0);
    process.kill(measuring ?? 0, "SIGKILL");
    const { status, stderr } = await bench.end();
    expect(stderr).toMatch(/the process that measures died \(SIGKILL\)/);
    expect(status).toBe(125);
    expect(workspaces()).toEqual([]);
  });

  it("killed, the command's own process leaves nothing either", async () => {
    const bench = start("lifecycle", ...everything);
    await bench.said(/lifecycle/);
    await sleep(5000);
    bench.child.kill("SIGKILL");
    await bench.end();
    for (let wait = 0; wait < 600 && workspaces().length > 0; wait++) await sleep(100);
    expect(workspaces()).toEqual([]);
  });

  it("what both leave when they are killed is gone with the next bench", async () => {
    const bench = start("containerd16", ...everything);
    await bench.said(/containerd16/);
    await sleep(2000);
    const processes = [...childrenOf(bench.child.pid ?? 0), bench.child.pid ?? 0];
    for (const pid of processes) process.kill(pid, "SIGKILL");
    await bench.end();
    expect(workspaces()).toHaveLength(1);
    expect(await tsimg.output("doctor")).toMatch(/bench\/[0-9a-f]{12} .*a bench that was killed/);
    await tsimg.output("bench", "containerd16", "--driver", "vfs", "--runs", "1");
    expect(workspaces()).toEqual([]);
  });
});

interface RunningBench {
  readonly child: ChildProcess;
  /** Waits until it has said something on standard error. */
  said(what: RegExp): Promise<void>;
  end(): Promise<{ status: number | null; stdout: string; stderr: string }>;
}

function start(...args: readonly string[]): RunningBench {
  const [program = "", ...rest] = tsimg.argv(["bench", ...args, "--format", "json"]);
  const child = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  const heard = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    heard.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    heard.stderr += chunk;
  });
  const ended = once(child, "close");
  return {
    child,
    async said(what) {
      while (!what.test(heard.stderr)) {
        if (child.exitCode !== null) throw new Error(`it has ended: ${heard.stderr}`);
        await sleep(20);
      }
    },
    async end() {
      const [status] = (await ended) as [number | null];
      return { status, ...heard };
    },
  };
}

/** Medians of a measure by driver. */
function medians({ suites }: Results, name: string): ReadonlyMap<string, number> {
  const measure = suites.flatMap(({ measures }) => measures).find((each) => each.name === name);
  return new Map(measure?.places.map(({ place, summary }) => [place, summary.median]));
}

function measuredOn(measures: readonly MeasureResults[], driver: string): number {
  return measures.filter(({ places }) => places.some(({ place }) => place === driver)).length;
}

function childrenOf(pid: number): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return readFileSync(path, "latin1").trim().split(" ").filter(Boolean).map(Number);
}
