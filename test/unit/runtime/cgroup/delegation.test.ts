import { describe, expect, test } from "vitest";
import { delegatedLayout, layoutOfGroups } from "../../../../src/runtime/cgroup/delegation.ts";
import type { CgroupLayout } from "../../../../src/runtime/cgroup/detect.ts";

const SLICE = "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service";
const V2: CgroupLayout = { kind: "v2", v1: new Map(), unified: "/sys/fs/cgroup" };
const own = `0::${SLICE.slice("/sys/fs/cgroup".length)}/app.slice/shell.scope\n`;
const handedOver = (directory: string) => directory.startsWith(SLICE);

describe("an ordinary user's cgroups", () => {
  test("begin at the highest group that was handed over", () => {
    expect(delegatedLayout(V2, own, handedOver)).toEqual({
      ...V2,
      unified: SLICE,
      delegated: true,
    });
  });

  test("begin there though the shell is in a group of somebody else's below", () => {
    const mine = (path: string) => handedOver(path) && !path.includes("app.slice");
    expect(delegatedLayout(V2, own, mine).unified).toBe(SLICE);
  });

  test("are none where nothing was, or where processes can't be moved", () => {
    const none = { kind: "none", v1: new Map(), delegated: true };
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
    const pids = new Map([["pids", "/sys/fs/cgroup/pids"]]);
    expect(layout).toEqual({ kind: "v1", v1: pids, delegated: true });
  });
});

describe("the layout in which a running container's groups were made", () => {
  const hybrid: CgroupLayout = {
    kind: "hybrid",
    v1: new Map([["pids", "/sys/fs/cgroup/pids"]]),
    unified: "/sys/fs/cgroup/unified",
  };

  test("is the delegated one, wherever the asking shell is", () => {
    const group = `${SLICE}/tsimg/c1`;
    expect(layoutOfGroups(V2, [group], "/tsimg/c1")).toEqual({
      ...V2,
      unified: SLICE,
      delegated: true,
    });
  });

  test("is the machine's for groups that lie right below the mounts", () => {
    expect(layoutOfGroups(V2, ["/sys/fs/cgroup/tsimg/c1"], "/tsimg/c1")).toBe(V2);
    const both = ["/sys/fs/cgroup/pids/tsimg/c1", "/sys/fs/cgroup/unified/tsimg/c1"];
    expect(layoutOfGroups(hybrid, both, "/tsimg/c1")).toBe(hybrid);
  });

  test("of both versions has those hierarchies that were joined", () => {
    const own = ["/sys/fs/cgroup/unified/user/tsimg/c1"];
    expect(layoutOfGroups(hybrid, own, "/tsimg/c1")).toEqual({
      kind: "v2",
      v1: new Map(),
      unified: "/sys/fs/cgroup/unified/user",
      delegated: true,
    });
  });
});
