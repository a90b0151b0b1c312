import fc from "fast-check";
import { expect, it } from "vitest";
import {
  deviceMount,
  formatCommand,
  parseSuperblock,
} from "../../../../drivers/devicemapper/file-system.ts";

it("knows a file system and its size by the superblock", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), fc.constantFrom(0, 1, 2), (blocks, log) => {
      const ext4 = Buffer.alloc(4096);
      ext4.writeUInt16LE(0xef53, 1024 + 0x38);
      ext4.writeUInt32LE(log, 1024 + 0x18);
      ext4.writeUInt32LE(blocks % 2 ** 32, 1024 + 0x4);
      ext4.writeUInt32LE(Math.floor(blocks / 2 ** 32), 1024 + 0x150);
      expect(parseSuperblock(ext4)).toEqual({ type: "ext4", blocks, blockSize: 1024 << log });
      const xfs = Buffer.alloc(4096);
      xfs.write("XFSB");
      xfs.writeUInt32BE(4096, 4);
      xfs.writeBigUInt64BE(BigInt(blocks), 8);
      expect(parseSuperblock(xfs)).toEqual({ type: "xfs", blocks, blockSize: 4096 });
    }),
  );
});

it("knows nothing of other bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4096 }), (bytes) => {
      expect(parseSuperblock(Buffer.from(bytes))).toBeUndefined();
    }),
  );
  expect(parseSuperblock(Buffer.alloc(4096))).toBeUndefined();
});

it("formats to the size asked for, with as many inodes as blocks", () => {
  const ext4 = formatCommand("ext4", "/dev/mapper/x", 20 * 2 ** 30);
  expect(ext4.slice(-2)).toEqual(["/dev/mapper/x", "20971520k"]);
  expect(ext4.join(" ")).toContain("-b 4096 -i 4096");
  expect(ext4).toContain("size=32");
  expect(formatCommand("ext4", "/dev/mapper/x", 64 * 2 ** 20)).not.toContain("size=32");
  expect(formatCommand("xfs", "/dev/mapper/x", 2 ** 30)).toContain(`size=${2 ** 30}`);
});

it("mounts a sealed device read-only, and every xfs whatever its UUID", () => {
  expect(deviceMount("ext4", "/dev/mapper/x", true)).toMatchObject({
    options: ["ro", "noinit_itable"],
    api: "mount",
  });
  expect(deviceMount("ext4", "/dev/mapper/x", false).options).toContain("discard");
  for (const sealed of [true, false])
    expect(deviceMount("xfs", "/dev/mapper/x", sealed).options).toContain("nouuid");
});
