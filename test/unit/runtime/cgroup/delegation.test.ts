import { describe, expect, test } from "vitest";
import { delegatedLayout } from "../../../../src/runtime/cgroup/delegation.ts";
import type { CgroupLayout } from "../../../../src/runtime/cgroup/detect.ts";

const SLICE = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service";
const V2: CgroupLayout = { kind: "v2", v1: new Map(), unified: "/sys/fs/cgroup" };
const own = `0::${SLICE.slice("/sys/fs/cgroup".length)}/app.slice/shell.scope\n`;
const handedOver = (directory: string) => directory.startsWith(SLICE);

describe("an ordinary user's cgroups", () => {
  test("begin at the highest group that was handed over", () => {
    expect(delegatedLayout(V2, own, handedOver)).toEqual({ ...V2, unified: SLICE });
  });

  test("are none where nothing was, or where processes can't be moved", () => {
    const none = { kind: "none", v1: new Map() };
    expect(delegatedLayout(V2, own, () => false)).toEqual(none);
    const noProcs = (path: string) => handedOver(path) && !path.endsWith("cgroup.procs");
    expect(delegatedLayout(V2, own, noProcs)).toEqual(none);
    expect(delegatedLayout(V2, "", () => true)).toEqual(none);
  });

  test("of version 1 are the hierarchies whose root may be written to", () => {
    const v1 = new Map([
      ["memory", "/sys/fs/cgroup/memory"],
      ["pids", "/sys/fs/cgroup/pids"],
    ]);
    const layout = delegatedLayout({ kind: "v1", v1 }, own, (path) => path.endsWith("pids"));
    expect(layout).toEqual({ kind: "v1", v1: new Map([["pids", "/sys/fs/cgroup/pids"]]) });
  });
});
