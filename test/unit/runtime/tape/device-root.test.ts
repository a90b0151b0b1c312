import { expect, test } from "vitest";
import { compileTape } from "../../../../src/runtime/tape/compile.ts";
import type { LaunchRequest } from "../../../../src/runtime/tape/request.ts";

const NONE = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };

const REQUEST: LaunchRequest = {
  spec: {
    ociVersion: "1.2.0",
    root: { path: "/host/root" },
    process: {
      ...{ user: { uid: 0, gid: 0 }, args: ["true"], env: [], cwd: "/" },
      ...{ noNewPrivileges: false, capabilities: NONE, rlimits: [] },
    },
    mounts: [],
    linux: { namespaces: [{ type: "mount" }, { type: "pid" }] },
  },
  rootMounts: [
    { type: "ext4", source: "/dev/mapper/thin", options: ["rw", "nouuid"], api: "fsconfig" },
  ],
  cgroup: {
    ...{ directories: ["/cg/x"], writes: [], procsFiles: ["/cg/x/cgroup.procs"] },
    removals: ["/cg/x"],
  },
  ...{ stateDirectory: "/state", init: false, removeAfter: [] },
  io: { kind: "foreground", tty: false, interactive: false },
};

test("a root on a block device is mounted by the launcher: the cgroup may not open it", () => {
  const { before, child } = compileTape(REQUEST);
  const opens = (steps: typeof child) =>
    steps.filter(({ call, args }) => call === "fsopen" && args[0] === "ext4").length;
  expect([opens(before), opens(child)]).toEqual([1, 0]);
  expect(child.some(({ call, why }) => call === "move_mount" && /root on "\/"/.test(why))).toBe(
    true,
  );
});
