/**
 * `npm run bench:scale`: whether containers cost more the more there have been, or are, on
 * each storage driver; see docs/peers.md.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runIsolated } from "./bench/run-isolated.ts";
import { parseOptions, USAGE } from "./scale/options.ts";

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

async function main(args: readonly string[]): Promise<number> {
  if (process.getuid?.() !== 0) throw new Error("containers are started: run it as root");
  const work = await mkdtemp(join(tmpdir(), "tsimg-scale-"));
  try {
    const script = join(import.meta.dirname, "scale/inside.ts");
    // What tests elsewhere keep in the usual place is about other daemons.
    return await runIsolated(script, args, { TMPDIR: work });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
