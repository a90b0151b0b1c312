import { describe, expect, test } from "vitest";
import type { Spec } from "../../../../src/oci/runtime-spec.ts";
import { compileLaunch } from "../../../../src/runtime/tape/compile-foreign.ts";
import { explainTape } from "../../../../src/runtime/tape/explain.ts";
import type { LaunchRequest } from "../../../../src/runtime/tape/request.ts";

const SPEC: Spec = {
  ociVersion: "1.2.0",
  root: { path: "/state/rootfs" },
  process: {
    user: { uid: 0, gid: 0 },
    args: ["sh"],
    env: ["PATH=/bin"],
    cwd: "/",
    rlimits: [{ type: "RLIMIT_NOFILE", soft: 20, hard: 20 }],
  },
  mounts: [],
  linux: { namespaces: [{ type: "mount" }, { type: "network" }, { type: "pid" }] },
};

const REQUEST: LaunchRequest = {
  spec: SPEC,
  rootMounts: [],
  cgroup: { directories: [], writes: [], procsFiles: [], removals: [] },
  stateDirectory: "/state",
  io: { kind: "foreground", tty: false, interactive: false },
  removeAfter: ["/state"],
  init: false,
};

const FOREIGN = {
  run: ["/usr/sbin/runc", "run", "x"],
  remove: ["/usr/sbin/runc", "delete", "x"],
  sysctls: { "net.ipv4.ip_forward": "1" },
  log: "/state/log",
  pidFile: "/state/pid",
} as const;

/** Where this comes in the tape; it must. */
function place(text: string, wanted: string): number {
  const at = text.indexOf(wanted);
  expect({ wanted, isThere: at >= 0 }).toEqual({ wanted, isThere: true });
  return at;
}

describe("another runtime's tape", () => {
  const tape = compileLaunch({ ...REQUEST, foreign: FOREIGN });
  const text = explainTape(tape);

  test("has a mount and a network namespace of its own, and what it sets in there", () => {
    expect(tape.cloneFlags).toEqual(["CLONE_NEWNS", "CLONE_NEWNET"]);
    const order = ["MS_PRIVATE", '"/state/rootfs"', "ip_forward", 'execve("/usr/sbin/runc"'];
    const places = order.map((wanted) => place(text, wanted));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
  });

  test("joins a network namespace by the runtime, and makes none", () => {
    const namespaces = [{ type: "network", path: "/proc/1/ns/net" }] as const;
    const spec = { ...SPEC, linux: { ...SPEC.linux, namespaces } };
    const joined = compileLaunch({ ...REQUEST, spec, foreign: FOREIGN });
    expect(joined.cloneFlags).toEqual(["CLONE_NEWNS"]);
  });

  test("removes the runtime's container before its files", () => {
    expect(place(text, '"delete", "x"')).toBeLessThan(place(text, 'rmtree("/state")'));
  });
});

test("the limit of open files comes once the container is built", () => {
  const text = explainTape(compileLaunch(REQUEST));
  expect(place(text, "RLIMIT_NOFILE")).toBeGreaterThan(place(text, "close_range"));
});
