import { describe, expect, test } from "vitest";
import type { Process, Seccomp, SeccompRule } from "../../../../src/oci/runtime-spec.ts";
import { compileExec, type ExecRequest } from "../../../../src/runtime/tape/compile-exec.ts";
import { allowsHandover } from "../../../../src/runtime/tape/handover.ts";

const PROCESS: Process = {
  user: { uid: 1000, gid: 1000 },
  args: ["true"],
  env: ["PATH=/bin"],
  cwd: "/",
  capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] },
};

const ALLOW = "SCMP_ACT_ALLOW" as const;
const profile = (...syscalls: readonly SeccompRule[]): Seccomp => ({
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: ["SCMP_ARCH_X86_64"],
  syscalls,
});
const plainClone: SeccompRule = {
  names: ["clone"],
  action: ALLOW,
  args: [{ index: 0, value: 0x7e02_0000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }],
};
const prctl: SeccompRule = { names: ["prctl"], action: ALLOW };

/** The calls of an exec's tape that matter for who sees what, in order. */
function order(request: Partial<ExecRequest>): readonly string[] {
  const wanted = ["setns", "close_range", "capset", "seccomp", "handover", "execve"];
  const tape = compileExec({
    process: PROCESS,
    target: { pid: 1 },
    namespaces: ["CLONE_NEWPID", "CLONE_NEWNS"],
    procsFiles: [],
    seccomp: profile(plainClone, prctl),
    seccompFilter: Buffer.alloc(8),
    io: { kind: "foreground", tty: false, interactive: false },
    removeAfter: [],
    ...request,
  });
  expect(tape.before.map(({ call }) => call)).toEqual(["prctl", "pidfd_open"]);
  const calls = tape.child.map(({ call }) => call).filter((call) => wanted.includes(call));
  expect(tape.options.includes("handover")).toBe(calls.includes("handover"));
  return calls.slice(0, calls.indexOf("execve") + 1);
}

describe("entering a PID namespace", () => {
  test.each([false, true])("comes last, no_new_privs: %s", (noNewPrivileges) => {
    const calls = order({ process: { ...PROCESS, noNewPrivileges } });
    const [first, last] = noNewPrivileges ? ["capset", "seccomp"] : ["seccomp", "capset"];
    expect(calls).toEqual(["setns", "close_range", first, last, "handover", "execve"]);
  });

  test("comes before a filter that forbids it, after all rights where these aren't needed", () => {
    const strict = profile(prctl);
    const calls = order({ seccomp: strict, process: { ...PROCESS, noNewPrivileges: true } });
    expect(calls).toEqual(["setns", "close_range", "capset", "handover", "seccomp", "execve"]);
    const needy = ["setns", "close_range", "handover", "seccomp", "capset", "execve"];
    expect(order({ seccomp: strict })).toEqual(needy);
  });

  test("is no matter in the host's", () => {
    const calls = order({ namespaces: ["CLONE_NEWNS"] });
    expect(calls).toEqual(["setns", "close_range", "seccomp", "capset", "execve"]);
  });
});

describe("a filter", () => {
  const withClone = (args: SeccompRule["args"], action: SeccompRule["action"] = ALLOW) =>
    allowsHandover(profile({ names: ["clone"], action, ...(args && { args }) }, prctl));

  test("allows the copy when its rules for clone(2) do", () => {
    expect(allowsHandover(undefined)).toBe(true);
    expect(allowsHandover(profile(plainClone, prctl))).toBe(true);
    expect(allowsHandover(profile(plainClone))).toBe(false);
    expect(allowsHandover(profile(prctl))).toBe(false);
    expect(allowsHandover({ ...profile(), defaultAction: ALLOW })).toBe(true);
    expect(withClone(undefined, "SCMP_ACT_LOG")).toBe(true);
    expect(withClone(undefined, "SCMP_ACT_TRAP")).toBe(false);
  });

  test("allows it only with the flags that it has", () => {
    expect(withClone([{ index: 0, value: 0x11, op: "SCMP_CMP_EQ" }])).toBe(false);
    expect(withClone([{ index: 0, value: 0x11, op: "SCMP_CMP_NE" }])).toBe(true);
    expect(withClone([{ index: 0, value: 0x8000, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }])).toBe(
      false,
    );
    expect(withClone([{ index: 1, value: 0, op: "SCMP_CMP_EQ" }])).toBe(true);
  });
});
