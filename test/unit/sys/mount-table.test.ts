import { expect, it } from "vitest";
import { isMountPoint, isMountPointForAnyone, mountPoints } from "../../../src/sys/mount-table.ts";

it("mount points are read with the escapes that the kernel writes", () => {
  const text = [
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
    "36 22 0:31 /x /mnt/a\\040place\\134here ro - overlay overlay ro,lowerdir=/a:/b",
    "",
  ].join("\n");
  expect([...mountPoints(text)]).toEqual(["/", "/mnt/a place\\here"]);
});

it("this process sees what is mounted", () => {
  expect(isMountPoint("/proc")).toBe(true);
  expect(isMountPointForAnyone("/proc")).toBe(true);
  expect(isMountPoint("/no such place")).toBe(false);
});
