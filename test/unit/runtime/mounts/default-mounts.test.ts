import { expect, test } from "vitest";
import { combineMounts, defaultMounts } from "../../../../src/runtime/mounts/default-mounts.ts";

const bind = (destination: string) => ({ destination, type: "bind", source: "/s", options: [] });
const places = (...destinations: string[]) =>
  combineMounts(defaultMounts(false), destinations.map(bind)).map(({ destination }) => destination);

test("others come last, parents before children, and win where they stand", () => {
  expect(places("/etc/hosts", "/a/b/c", "/etc", "/dev/shm")).toEqual([
    "/proc",
    "/dev",
    "/dev/pts",
    "/sys",
    "/sys/fs/cgroup",
    "/dev/mqueue",
    "/etc",
    "/etc/hosts",
    "/dev/shm",
    "/a/b/c",
  ]);
  expect(places("/dev")).toEqual(["/proc", "/sys", "/sys/fs/cgroup", "/dev"]);
});
