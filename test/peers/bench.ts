/**
 * `npm run bench:peers`: tsimg and its peers side by side in one run; see docs/peers.md.
 *
 * This process only prepares, starts the bench in namespaces of its own and clears away, so
 * that nothing stays behind however the bench ends.
 */
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bigImage } from "../../fixtures/images/big-image.ts";
import { tinyImage } from "../../fixtures/images/tiny-image.ts";
import { parseOptions, USAGE } from "./bench/options.ts";
import { removeGroups } from "./cgroup.ts";
import { isolated } from "./isolated.ts";

const PREFIX = "tsimg-bench-";

async function main(flags: readonly string[]): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error("the bench mounts file systems: run it as root");
  await removeLeftovers();
  console.error("preparing images (the first time takes a minute)");
  await bigImage();
  await tinyImage();
  const group = `${PREFIX}${process.pid}`;
  const work = await mkdtemp(join(tmpdir(), `${group}-`));
  try {
    return await runInside([work, group, ...flags]);
  } finally {
    await removeGroups(group);
    await rm(work, { recursive: true, force: true });
  }
}

/** Ends early, with everything that the bench started, on Ctrl-C or a termination. */
async function runInside(args: readonly string[]): Promise<number> {
  const script = join(import.meta.dirname, "bench/inside.ts");
  const [program = "", ...rest] = isolated([process.execPath, script, ...args]);
  const inside = spawn(program, rest, {
    stdio: "inherit",
    cwd: join(import.meta.dirname, "../.."),
  });
  const stop = () => inside.kill("SIGKILL");
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  inside.on("error", reject);
  inside.on("close", (status) => resolve(status ?? 130));
  return await promise;
}

/** What a bench left that was itself killed; its process id is in the names. */
async function removeLeftovers(): Promise<void> {
  for (const dir of [tmpdir(), "/sys/fs/cgroup", "/sys/fs/cgroup/memory"]) {
    for (const name of namesIn(dir)) {
      const pid = new RegExp(`^${PREFIX}(\\d+)`).exec(name)?.[1];
      if (pid === undefined || isAlive(Number(pid))) continue;
      if (dir === tmpdir()) await rm(join(dir, name), { recursive: true, force: true });
      else await removeGroups(name);
    }
  }
}

function namesIn(dir: string): readonly string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const flags = process.argv.slice(2);
if (flags.includes("--help")) {
  console.log(USAGE);
} else {
  try {
    parseOptions(flags);
    process.exitCode = await main(flags);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
