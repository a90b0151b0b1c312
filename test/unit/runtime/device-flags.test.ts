import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Device } from "../../../src/oci/runtime-spec.ts";
import { parseDevices } from "../../../src/runtime/device-flags.ts";
import { hostDevices } from "../../../src/runtime/host-devices.ts";

const FUSE: Device = { path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 0o666 };
const DISK: Device = { path: "/dev/sda", type: "b", major: 8, minor: 0, gid: 6 };
const SOUND: readonly Device[] = [
  { path: "/dev/snd/timer", type: "c", major: 116, minor: 33 },
  { path: "/dev/snd/by/card", type: "c", major: 116, minor: 1 },
];
const lookup = (path: string) =>
  ({ "/dev/fuse": [FUSE], "/dev/sda": [DISK], "/dev/snd": SOUND })[path] ?? [];
const parse = (...texts: string[]) => parseDevices(texts, lookup);

describe("a device", () => {
  test("is given with its own path and full access when nothing else is said", () => {
    expect(parse("/dev/fuse")).toEqual({
      devices: [FUSE],
      rules: [{ allow: true, type: "c", major: 10, minor: 229, access: "rwm" }],
    });
  });

  test("may have another path, and less access", () => {
    expect(parse("/dev/sda:/dev/xvda:r").devices).toEqual([{ ...DISK, path: "/dev/xvda" }]);
    expect(parse("/dev/sda:/dev/xvda:r").rules[0]).toMatchObject({ type: "b", access: "r" });
    expect(parse("/dev/sda:rw")).toEqual({
      devices: [DISK],
      rules: [{ allow: true, type: "b", major: 8, minor: 0, access: "rw" }],
    });
    expect(parse("/dev/sda/:/dev//disk/").devices[0]?.path).toBe("/dev/disk");
  });

  test("may be each one below a directory", () => {
    const { devices, rules } = parse("/dev/snd:/dev/sound:rw");
    expect(devices.map(({ path }) => path)).toEqual(["/dev/sound/timer", "/dev/sound/by/card"]);
    expect(rules.map(({ minor, access }) => [minor, access])).toEqual([
      [33, "rw"],
      [1, "rw"],
    ]);
  });

  test("given twice for one path counts the second time", () => {
    const { devices, rules } = parse("/dev/fuse:/dev/x", "/dev/sda:/dev/x:r");
    expect(devices).toEqual([{ ...DISK, path: "/dev/x" }]);
    expect(rules).toHaveLength(1);
  });

  test.each([
    ["/dev/nothing", 'no device at "/dev/nothing"'],
    ["dev/fuse", "not an absolute path"],
    ["/dev/fuse:fuse", "not an absolute path"],
    ["/dev/fuse:/dev/x:rwx", "not made of r, w and m"],
    ["/dev/fuse:/dev/x:", "not made of r, w and m"],
    ["/dev/fuse:/dev/x:rr", "not made of r, w and m"],
    ["/dev/fuse:/:r", "not an absolute path"],
    ["/dev/fuse:/a:r:w", "too many colons"],
    ["vendor.com/gpu=all", "CDI"],
    ["", "not an absolute path"],
  ])("%j is refused", (text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: "ERR_USAGE", message: expect.stringContaining(message) }),
    );
  });

  test("of this machine is found by its path and by a link to it, and nothing else is one", () => {
    const directory = mkdtempSync(join(tmpdir(), "tsimg-devices-"));
    try {
      const link = join(directory, "link");
      symlinkSync("/dev/null", link);
      const expected = { type: "c", major: 1, minor: 3 };
      expect(hostDevices("/dev/null")).toMatchObject([{ ...expected, path: "/dev/null" }]);
      expect(hostDevices(link)).toMatchObject([{ ...expected, path: link }]);
      expect(hostDevices(directory)).toEqual([]);
      expect(hostDevices(join(directory, "none"))).toEqual([]);
      expect(hostDevices(import.meta.filename)).toEqual([]);
      const all = hostDevices("/dev").map(({ path }) => path);
      expect(all).toContain("/dev/zero");
      expect(all.filter((path) => path.startsWith("/dev/pts/"))).toEqual([]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
