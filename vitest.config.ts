import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: ["test/system/support/empty-cgroups.ts"],
    include: ["test/**/*.test.ts"],
    // Most wait for disks and for other programs; a worker less than processors leaves them idle.
    maxWorkers: availableParallelism(),
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
