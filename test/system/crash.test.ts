import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { tolerating } from "../../src/sys/errno.ts";
import { missing } from "../peers/requirements.ts";
import { busyboxLayer, fillerLayer, hasBusybox } from "./support/busybox-image.ts";
import { ImageServer } from "./support/image-server.ts";
import { filesOf, lastingTraces } from "./support/leftovers.ts";
import { rowsOf } from "./support/store.ts";
import { temporaryDirectory } from "./support/temporary.ts";
import { Tsimg } from "./support/tsimg.ts";

/** How often pull and run are killed: a few here, TSIMG_CRASH_RUNS=200 for a whole test. */
const RUNS = Number(process.env["TSIMG_CRASH_RUNS"] ?? 12);

const absent = hasBusybox() ? missing([]) : "needs a static busybox";

it.skipIf(absent !== undefined)(
  `what SIGKILL leaves is undone by the next command (${RUNS} kills) ${absent ?? ""}`,
  async () => {
    await using server = await ImageServer.start();
    using directory = temporaryDirectory();
    const tsimg = new Tsimg(join(directory.path, "store"));
    const image = server.add("crash", {
      layers: [busyboxLayer(), fillerLayer("a"), fillerLayer("b"), fillerLayer("c", 2000)],
    });
    const ids = new Set<string>();
    const usual = await timesOf(tsimg, image);
    for (let run = 0; run < RUNS; run++) {
      const pulls = run % 2 === 0;
      // Sometimes it is there already: then the pull is of something new, or the run begins at once.
      if (pulls) await tsimg.clear();
      const detached = run % 4 === 1;
      const command = pulls
        ? ["pull", "-q", image]
        : ["run", ...(detached ? ["-d"] : ["--rm"]), image, "sleep", detached ? "60" : "0.05"];
      await killAt(tsimg, command, Math.random() * 1.1 * (pulls ? usual.pull : usual.run));
      for (const id of idsIn(tsimg.root)) ids.add(id);
      await toldTruth(tsimg, image, `${run}: ${command.join(" ")}`);
    }
    await tsimg.clear();
    expect(await lastingTraces(tsimg.root, [...ids])).toEqual([]);
    expect(rowsOf(tsimg.root)).toEqual([]);
    expect(filesOf(tsimg.root).filter((path) => !isEmptyStore(path))).toEqual([]);
  },
  60_000 + RUNS * 10_000,
);

/** What a pull and a run take when nobody interrupts them, in milliseconds. */
async function timesOf(tsimg: Tsimg, image: string): Promise<{ pull: number; run: number }> {
  const start = performance.now();
  await tsimg.output("pull", "-q", image);
  const pulled = performance.now();
  await tsimg.output("run", "--rm", image, "sleep", "0.05");
  return { pull: pulled - start, run: performance.now() - pulled };
}

async function killAt(tsimg: Tsimg, args: readonly string[], delay: number): Promise<void> {
  const child = tsimg.start(...args);
  const ended = new Promise((resolve) => child.on("close", resolve));
  await sleep(delay);
  child.kill("SIGKILL");
  // A detached container keeps none of these open.
  await ended;
}

/** What is listed can be used, and what isn't can be had again. */
async function toldTruth(tsimg: Tsimg, image: string, after: string): Promise<void> {
  const images = await tsimg.images();
  const ran = await tsimg.run("run", "--rm", "--pull", "never", image, "echo", "hello");
  const works = ran.status === 0 && ran.stdout.toString() === "hello\n";
  expect(works, `${after}: images says ${images}, run says ${ran.stderr}`).toBe(images.length > 0);
  const states = await tsimg.output("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.State}}");
  for (const line of states.split("\n").filter(Boolean)) {
    const [id = "", state] = line.split(" ");
    const running = readdirSync("/proc").some((pid) => isInside(pid, id));
    expect(running, `${after}: ps says ${state}`).toBe(state === "running");
  }
  if (images.length > 0) return;
  await tsimg.output("pull", "-q", image);
  expect(await tsimg.output("run", "--rm", image, "echo", "again")).toBe("again\n");
}

/** Whether a process is in the cgroup of a container. */
function isInside(pid: string, id: string): boolean {
  if (!/^[0-9]+$/.test(pid)) return false;
  const cgroups = tolerating(["ENOENT", "ESRCH"], () =>
    readFileSync(`/proc/${pid}/cgroup`, "latin1"),
  );
  return cgroups?.includes(id) === true;
}

function idsIn(root: string): readonly string[] {
  const names = tolerating(["ENOENT"], () => readdirSync(join(root, "run"))) ?? [];
  return names.filter((name) => /^[0-9a-f]{64}$/.test(name));
}

/** Directories and caches that a store has once it was used. */
function isEmptyStore(path: string): boolean {
  return /^(content(\/(blobs(\/sha256)?|ingests))?|overlay2(\/l)?|view|containers|volumes|run|cache(\/.*)?)$/.test(
    path,
  );
}
