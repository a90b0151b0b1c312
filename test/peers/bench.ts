/**
 * `npm run bench:peers`: tsimg and its peers side by side in one run; see docs/peers.md.
 *
 * This process only prepares, starts the bench in namespaces of its own and clears away, so
 * that nothing stays behind however the bench ends.
 */
import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bigImage } from "../../fixtures/images/big-image.ts";
import { tinyImage } from "../../fixtures/images/tiny-image.ts";
import { parseOptions, USAGE } from "./bench/options.ts";
import { runIsolated } from "./bench/run-isolated.ts";
import { removeGroups } from "./cgroup.ts";

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
    const script = join(import.meta.dirname, "bench/inside.ts");
    return await runIsolated(script, [work, group, ...flags]);
  } finally {
    await removeGroups(group);
    await rm(work, { recursive: true, force: true });
  }
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
