import { expect, test } from "vitest";
import { parseMountOptions } from "../../../../src/runtime/tape/mount-options.ts";

test("sorts options into attributes, propagation and what the file system takes", () => {
  expect(
    parseMountOptions(["rbind", "ro", "nosuid", "rslave", "noatime", "size=1m", "lowerdir+=a"]),
  ).toEqual({
    set: ["MOUNT_ATTR_RDONLY", "MOUNT_ATTR_NOSUID", "MOUNT_ATTR_NOATIME"],
    clear: ["MOUNT_ATTR__ATIME"],
    mountFlags: ["MS_RDONLY", "MS_NOSUID", "MS_NOATIME"],
    propagation: "MS_SLAVE",
    recursivePropagation: true,
    bind: true,
    recursive: true,
    data: ["size=1m", "lowerdir+=a"],
  });
});

test("the later of two options that contradict each other counts", () => {
  const { set, clear, mountFlags } = parseMountOptions(["ro", "noexec", "rw", "rexec", "noexec"]);
  expect([set, clear, mountFlags]).toEqual([
    ["MOUNT_ATTR_NOEXEC"],
    ["MOUNT_ATTR_RDONLY"],
    ["MS_NOEXEC"],
  ]);
  expect(parseMountOptions(["noatime", "relatime"]).set).toEqual(["MOUNT_ATTR_RELATIME"]);
});

test("a recursive spelling means the plain option", () => {
  expect(parseMountOptions(["rro", "rnodev"]).set).toEqual(parseMountOptions(["ro", "nodev"]).set);
});
