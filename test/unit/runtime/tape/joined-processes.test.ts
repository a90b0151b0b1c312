import { expect, test } from "vitest";
import type { Namespace, Spec } from "../../../../src/oci/runtime-spec.ts";
import { compileTape } from "../../../../src/runtime/tape/compile.ts";
import type { Step } from "../../../../src/runtime/tape/tape.ts";

function tapeOf(...namespaces: readonly Namespace[]) {
  const spec: Spec = {
    ociVersion: "1.2.0",
    root: { path: "/root" },
    process: { user: { uid: 0, gid: 0 }, args: ["/true"], env: [], cwd: "/" },
    mounts: [{ destination: "/proc", type: "proc", source: "proc", options: [] }],
    linux: { namespaces: [{ type: "mount" }, ...namespaces] },
  };
  return compileTape({
    spec,
    rootMounts: [],
    cgroup: { directories: [], writes: [], procsFiles: [], removals: [] },
    stateDirectory: "/state",
    io: { kind: "foreground", tty: false, interactive: false },
    removeAfter: [],
    init: false,
  });
}

const theirs = { type: "pid", path: "/proc/7/ns/pid" } as const;
const joins = ({ call, args: [, how] }: Step) =>
  call === "setns" && JSON.stringify(how).includes("CLONE_NEWPID");

test("others' processes are joined by the child alone, and entered when all is done", () => {
  const { before, child, cloneFlags, options } = tapeOf(theirs);
  expect(cloneFlags).not.toContain("CLONE_NEWPID");
  expect(before.some(joins)).toBe(false);
  expect(before.filter(({ call }) => call === "procfs")).toHaveLength(1);
  expect(options).toContain("handover");
  const calls = child.map((step) => (joins(step) ? "joined" : step.call));
  expect(calls.filter((call) => call === "joined")).toHaveLength(1);
  const order = ["procfsCheck", "joined", "pivot_root", "close_range", "handover", "execve"];
  const places = order.map((call) => calls.indexOf(call as Step["call"]));
  expect(places).not.toContain(-1);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test("one's own processes need none of that", () => {
  const { before, child, options } = tapeOf({ type: "pid" });
  expect(options).not.toContain("handover");
  const calls = [...before, ...child].map(({ call }) => call);
  for (const call of ["procfs", "procfsCheck", "handover"]) expect(calls).not.toContain(call);
});

test("a user namespace is joined with them, but not made", () => {
  const { before } = tapeOf({ type: "user", path: "/proc/7/ns/user" }, theirs);
  const procfs = before.findIndex(({ call }) => call === "procfs");
  const user = before.findIndex(({ call }) => call === "setns");
  expect(procfs).toBeLessThan(user);
  expect(() => tapeOf({ type: "user" }, theirs)).toThrow(/can't join others' processes/);
});
