import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { DeviceMapperDriver } from "../../drivers/devicemapper/devicemapper.ts";
import {
  createThinPool,
  deactivateThinPool,
  type ThinPool,
} from "../../drivers/devicemapper/thin-pool.ts";
import { runProgram } from "../../src/sys/run-program.ts";
import { describeDriver } from "../conformance/describe-driver.ts";
import { EXT4_TIMES } from "../conformance/keeps.ts";
import { MemoryThinDevices } from "./support/memory-thin-devices.ts";

const METADATA = join(tmpdir(), "conformance-metadata");
const METADATA_BYTES = 64 << 20;

let pool: ThinPool;

beforeAll(() => {
  writeFileSync(METADATA, "");
  truncateSync(METADATA, METADATA_BYTES);
  const metadata = runProgram(["losetup", "--find", "--show", METADATA]).trim();
  pool = { name: "conformance", metadata, data: process.env["LAB_SCRATCH"] ?? "/dev/vda" };
  createThinPool(pool);
});

afterAll(() => {
  deactivateThinPool(pool.name);
  runProgram(["losetup", "--detach", pool.metadata]);
  rmSync(METADATA);
});

describeDriver(
  "devicemapper",
  (root) => {
    const devices = new MemoryThinDevices();
    return new DeviceMapperDriver({ name: "devicemapper", pool, home: join(root, "dm"), devices });
  },
  { times: EXT4_TIMES },
  "here",
);
