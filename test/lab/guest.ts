import { join } from "node:path";
import { startVitest } from "vitest/node";

/**
 * Runs the lab's tests inside its guest: `node test/lab/guest.ts [PATTERN…]`. One process and
 * one worker, since a process takes half a second to start there.
 */
const root = join(import.meta.dirname, "../..");
const vitest = await startVitest(
  "test",
  process.argv.slice(2),
  {
    root,
    config: false,
    watch: false,
    include: ["test/lab/*.lab.ts"],
    fileParallelism: false,
    isolate: false,
    pool: "forks",
    reporters: ["verbose"],
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    teardownTimeout: 60_000,
  },
  // The project's own directory is shared with the host.
  { cacheDir: "/tmp/tsimg-lab-cache" },
);
await vitest.close();
