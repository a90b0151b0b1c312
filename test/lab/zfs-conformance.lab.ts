import { existsSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ZfsDriver } from "../../drivers/zfs/zfs.ts";
import { runProgram } from "../../src/sys/run-program.ts";
import { describeDriver } from "../conformance/describe-driver.ts";
import { KEEPS_ALL } from "../conformance/keeps.ts";

const POOL = "lab";
const FILE = join(tmpdir(), "lab-zpool");
const FILE_BYTES = 3 * 2 ** 30;
const present = existsSync("/sys/module/zfs");

/** Each store has a dataset of its own. */
let stores = 0;

describe.skipIf(!present)(`zfs of the kernel${present ? "" : " (skipped: no module)"}`, () => {
  beforeAll(() => {
    writeFileSync(FILE, "");
    truncateSync(FILE, FILE_BYTES);
    runProgram(["zpool", "create", "-O", "mountpoint=none", POOL, FILE]);
  });

  afterAll(() => {
    runProgram(["zpool", "destroy", "-f", POOL]);
    rmSync(FILE);
  });

  it("is what is tested here", () => {
    expect(runProgram(["zfs", "version"])).toMatch(/^zfs-kmod-/m);
  });

  describeDriver(
    "zfs",
    (root) => {
      const dataset = `${POOL}/store-${++stores}`;
      runProgram(["zfs", "create", dataset]);
      return new ZfsDriver({ name: "zfs", dataset, home: join(root, "zfs") });
    },
    { times: KEEPS_ALL.times },
    "here",
  );
});
