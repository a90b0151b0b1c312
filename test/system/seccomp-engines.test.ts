import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Seccomp, SeccompAction, SeccompArg } from "../../src/oci/runtime-spec.ts";
import { CAPABILITIES, DEFAULT_CAPABILITIES } from "../../src/runtime/capabilities.ts";
import { MACHINE_ARCHES, type MachineArch } from "../../src/runtime/seccomp/architectures.ts";
import { assembleSeccomp } from "../../src/runtime/seccomp/assemble.ts";
import { defaultSeccomp } from "../../src/runtime/seccomp/default-profile.ts";
import { libseccompFilter } from "../../src/runtime/seccomp/libseccomp-engine.ts";
import { syscallNumbers } from "../../src/runtime/seccomp/syscall-numbers.ts";
import { Libseccomp } from "../../src/sys/libseccomp.ts";
import { runFilter } from "../unit/runtime/seccomp/bpf-interpreter.ts";
import { tellingCalls } from "./support/seccomp-calls.ts";

/** Compares the two engines' filters on every telling call. @returns how many there were */
function compare(profile: Seccomp, machine: MachineArch): number {
  const ours = assembleSeccomp(profile, machine);
  const theirs = libseccompFilter(profile, machine);
  // Were the library to refuse everything, our assembler would be compared with itself.
  if (profile.syscalls.length > 20) expect(theirs.length).toBeGreaterThan(1.5 * ours.length);
  let compared = 0;
  for (const call of tellingCalls(profile, machine)) {
    const mine = runFilter(ours, call);
    const other = runFilter(theirs, call);
    if (mine !== other) {
      const shown = `arch ${call.audit.toString(16)} number ${call.number} (${call.args})`;
      expect.fail(`${shown}: ours 0x${mine.toString(16)}, libseccomp's 0x${other.toString(16)}`);
    }
    compared++;
  }
  return compared;
}

const rule = (action: SeccompAction, names: string[], ...args: SeccompArg[]) => ({
  names,
  action,
  ...(args.length === 0 ? {} : { args }),
});
const arg = (index: number, op: string, value: number, valueTwo = 0): SeccompArg => ({
  index,
  value,
  valueTwo,
  op: `SCMP_CMP_${op}` as SeccompArg["op"],
});
const AMD64 = MACHINE_ARCHES.amd64;
const refusing = (...syscalls: Seccomp["syscalls"]): Seccomp => ({
  defaultAction: "SCMP_ACT_ERRNO",
  architectures: AMD64,
  syscalls,
});
const allowing = (...syscalls: Seccomp["syscalls"]): Seccomp => ({
  defaultAction: "SCMP_ACT_ALLOW",
  architectures: AMD64,
  syscalls,
});

const HAND_MADE: Readonly<Record<string, Seccomp>> = {
  "no rule at all": refusing(),
  "all allowed, amd64 alone": { ...allowing(), architectures: ["SCMP_ARCH_X86_64"] },
  "a kill by default": {
    ...refusing(rule("SCMP_ACT_ALLOW", ["read", "write"])),
    defaultAction: "SCMP_ACT_KILL_PROCESS",
  },
  "ENOSYS by default": {
    ...refusing(rule("SCMP_ACT_ALLOW", ["read"]), rule("SCMP_ACT_ERRNO", ["bpf"])),
    defaultErrnoRet: 38,
  },
  "every action": allowing(
    rule("SCMP_ACT_KILL", ["getpid"]),
    rule("SCMP_ACT_KILL_THREAD", ["getppid"]),
    rule("SCMP_ACT_KILL_PROCESS", ["getuid"]),
    rule("SCMP_ACT_TRAP", ["geteuid"]),
    { ...rule("SCMP_ACT_ERRNO", ["getgid"]), errnoRet: 4095 },
    { ...rule("SCMP_ACT_TRACE", ["getegid"]), errnoRet: 77 },
    rule("SCMP_ACT_LOG", ["gettid"]),
  ),
  "every operator, narrow and wide operands": refusing(
    ...["NE", "LT", "LE", "EQ", "GE", "GT"].flatMap((op, index) => [
      rule(
        "SCMP_ACT_ALLOW",
        [["read", "write", "open", "close", "lseek", "ioctl"][index] ?? ""],
        arg(index, op, 7),
      ),
      rule(
        "SCMP_ACT_ALLOW",
        [["mmap", "mprotect", "readv", "writev", "dup", "brk"][index] ?? ""],
        arg(index, op, 2 ** 40 + 5),
      ),
    ]),
    rule("SCMP_ACT_ALLOW", ["clone"], arg(0, "MASKED_EQ", 0x7e020000, 0)),
    rule("SCMP_ACT_ALLOW", ["prctl"], arg(1, "MASKED_EQ", 2 ** 33 + 3, 2 ** 33 + 1)),
  ),
  "several arguments, two on one": refusing(
    rule("SCMP_ACT_ALLOW", ["fcntl"], arg(0, "LE", 2), arg(1, "EQ", 1030), arg(2, "NE", 0)),
    rule("SCMP_ACT_ALLOW", ["fcntl"], arg(1, "EQ", 3)),
    rule("SCMP_ACT_ALLOW", ["ioctl"], arg(1, "EQ", 0x5401), arg(1, "EQ", 0x5413)),
  ),
  "rules that contradict each other": refusing(
    rule("SCMP_ACT_LOG", ["socket"], arg(0, "EQ", 2)),
    rule("SCMP_ACT_ALLOW", ["socket"], arg(0, "LT", 10)),
    rule("SCMP_ACT_ALLOW", ["socket"], arg(0, "EQ", 16), arg(2, "GE", 5)),
    rule("SCMP_ACT_TRAP", ["socket"], arg(0, "GT", 15)),
    rule("SCMP_ACT_ERRNO", ["kill"], arg(1, "EQ", 9)),
    rule("SCMP_ACT_ALLOW", ["kill"]),
    rule("SCMP_ACT_ALLOW", ["kill"]),
  ),
  "a rule like the default before one unlike it": refusing(
    rule("SCMP_ACT_ERRNO", ["mount"], arg(3, "EQ", 1)),
    rule("SCMP_ACT_ALLOW", ["mount"], arg(3, "LT", 9)),
  ),
  "i386's multiplexers named, and not named": refusing(
    rule("SCMP_ACT_ALLOW", ["socketcall"], arg(0, "EQ", 3)),
    rule("SCMP_ACT_ALLOW", ["socket", "connect", "semget", "shmat", "accept"]),
  ),
  "names that no library knows yet": refusing(
    rule("SCMP_ACT_ALLOW", ["read", "mseal", "futex_wake", "setxattrat", "listns", "nonsense"]),
    rule("SCMP_ACT_ALLOW", ["file_setattr"], arg(0, "EQ", 3)),
  ),
  "x32 and i386, no more": {
    ...refusing(rule("SCMP_ACT_ALLOW", ["read", "execve", "rt_sigaction", "fcntl64", "ptrace"])),
    architectures: ["SCMP_ARCH_X32", "SCMP_ARCH_X86"],
  },
};

describe.skipIf(Libseccomp.open() === undefined)("libseccomp and our assembler judge alike", () => {
  const some = ["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_BPF", "CAP_SYS_TIME"];
  const sets: [string, readonly string[]][] = [
    ["docker's capabilities", DEFAULT_CAPABILITIES],
    ["none", []],
    ["some strong ones", some],
    ["all", CAPABILITIES],
  ];
  for (const machine of ["amd64", "arm64"] as const) {
    test.each(sets)(`docker's profile on ${machine} with %s`, (_, set) => {
      expect(compare(defaultSeccomp(machine, set), machine)).toBeGreaterThan(3000);
    });
  }

  test.each(Object.entries(HAND_MADE))("%s", (_, profile) => {
    expect(compare(profile, "amd64")).toBeGreaterThan(3000);
  });

  test("whatever rules, actions and conditions", () => {
    const number = fc.oneof(
      fc.integer({ min: 0, max: 64 }),
      fc.nat({ max: 0xffffffff }),
      fc.maxSafeNat(),
      fc.constantFrom(0xffffffff, 0x100000000, 0x80000000, 0x7fffffff),
    );
    const operators = ["EQ", "NE", "LT", "LE", "GE", "GT", "MASKED_EQ"] as const;
    const condition: fc.Arbitrary<SeccompArg> = fc.record({
      index: fc.nat({ max: 5 }),
      value: number,
      valueTwo: number,
      op: fc.constantFrom(...operators.map((name) => `SCMP_CMP_${name}` as const)),
    });
    const actions: SeccompAction[] = [
      ...(["ALLOW", "ERRNO", "KILL", "KILL_THREAD"] as const),
      ...(["KILL_PROCESS", "TRAP", "TRACE", "LOG"] as const),
    ].map((name) => `SCMP_ACT_${name}` as const);
    const names = [...syscallNumbers("SCMP_ARCH_X86").keys(), "mq_open", "arch_prctl"];
    const few = ["read", "clone", "socket", "ipc", "mseal", "fcntl64"];
    const profile: fc.Arbitrary<Seccomp> = fc.record({
      defaultAction: fc.constantFrom(...actions),
      defaultErrnoRet: fc.constantFrom(1, 13, 38),
      architectures: fc.subarray([...AMD64]),
      syscalls: fc.array(
        fc.record({
          names: fc.oneof(
            fc.subarray(few, { minLength: 1 }),
            fc.subarray(names, { minLength: 1, maxLength: 25 }),
          ),
          // Mostly one action, as profiles are: those are the library's to judge.
          action: fc.oneof(
            { weight: 4, arbitrary: fc.constant("SCMP_ACT_ALLOW" as const) },
            fc.constantFrom(...actions),
          ),
          errnoRet: fc.integer({ min: 1, max: 4095 }),
          args: fc.array(condition, { maxLength: 3 }),
        }),
        { maxLength: 8 },
      ),
    });
    fc.assert(
      fc.property(profile, (one) => {
        compare(one, "amd64");
      }),
      { numRuns: 150 },
    );
  });
});
