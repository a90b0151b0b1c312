import { join } from "node:path";
import { parseCLI, startVitest } from "vitest/node";

/**
 * Runs the lab's tests inside its guest: `node test/lab/guest.ts [ARGUMENT…]`, with arguments
 * as vitest's. One worker for all files, since a process takes half a second to start there.
 */
const root = join(import.meta.dirname, "../..");
const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
const vitest = await startVitest(
  "test",
  filter,
  {
    ...options,
    root,
    config: false,
    watch: false,
    include: ["test/lab/*.lab.ts"],
    fileParallelism: false,
    isolate: false,
    reporters: ["verbose"],
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    teardownTimeout: 60_000,
  },
  // The project's own directory is shared with the host.
  { cacheDir: "/tmp/tsimg-lab-cache" },
);
await vitest.close();
