import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Seccomp, SeccompArch, SeccompArg } from "../../../../src/oci/runtime-spec.ts";
import { CAPABILITIES, DEFAULT_CAPABILITIES } from "../../../../src/runtime/capabilities.ts";
import {
  AUDIT_ARCHES,
  MACHINE_ARCHES,
  type MachineArch,
} from "../../../../src/runtime/seccomp/architectures.ts";
import { assembleSeccomp } from "../../../../src/runtime/seccomp/assemble.ts";
import { defaultSeccomp } from "../../../../src/runtime/seccomp/default-profile.ts";
import { ASSEMBLER_VERSION } from "../../../../src/runtime/seccomp/filter-cache.ts";
import { syscallNumbers, X32_BIT } from "../../../../src/runtime/seccomp/syscall-numbers.ts";
import { runFilter } from "./bpf-interpreter.ts";

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (number: number) => 0x00050000 | number;

const base = (arch: SeccompArch) => (arch === "SCMP_ARCH_X32" ? X32_BIT : 0);
const NAMES = new Map(
  [...MACHINE_ARCHES.amd64, ...MACHINE_ARCHES.arm64].map((arch) => [
    arch,
    new Map([...syscallNumbers(arch)].map(([name, number]) => [number, name])),
  ]),
);

/** The rule list read as it is meant, without a thought for speed. */
function verdictByRules(profile: Seccomp, arch: SeccompArch, number: number, args: bigint[]) {
  const name = NAMES.get(arch)?.get(number);
  const values = args.map((arg) => BigInt.asUintN(AUDIT_ARCHES[arch].wordBits, arg));
  const returned = (action: string, number = 1) =>
    action === "SCMP_ACT_ALLOW" ? ALLOW : action === "SCMP_ACT_ERRNO" ? errno(number) : KILL;
  const mine = profile.syscalls.filter((rule) => rule.names.includes(name ?? "?"));
  const conditional = mine.filter((rule) => (rule.args ?? []).length > 0);
  const fitting =
    conditional.find((rule) => rule.args?.every((arg) => holds(arg, values[arg.index] ?? 0n))) ??
    mine.find((rule) => (rule.args ?? []).length === 0);
  if (fitting) return returned(fitting.action, fitting.errnoRet);
  const listed = profile.syscalls.flatMap((rule) =>
    rule.names.map((one) => syscallNumbersOf(arch).get(one) ?? -1),
  );
  const newest = Math.max(-1, ...listed.filter((one) => one < 512));
  const x32Own = arch === "SCMP_ARCH_X32" && number >= 512 && number < 548;
  if (mine.length === 0 && number > newest && !x32Own) return errno(38);
  return returned(profile.defaultAction, profile.defaultErrnoRet);
}

const tables = new Map<SeccompArch, ReadonlyMap<string, number>>();
function syscallNumbersOf(arch: SeccompArch) {
  const table = tables.get(arch) ?? syscallNumbers(arch);
  tables.set(arch, table);
  return table;
}

function holds({ op, value, valueTwo = 0 }: SeccompArg, arg: bigint): boolean {
  const operand = BigInt(value);
  switch (op) {
    case "SCMP_CMP_EQ":
      return arg === operand;
    case "SCMP_CMP_NE":
      return arg !== operand;
    case "SCMP_CMP_LT":
      return arg < operand;
    case "SCMP_CMP_LE":
      return arg <= operand;
    case "SCMP_CMP_GE":
      return arg >= operand;
    case "SCMP_CMP_GT":
      return arg > operand;
    case "SCMP_CMP_MASKED_EQ":
      return (arg & operand) === (BigInt(valueTwo) & operand);
  }
}

const INTERESTING_ARGS = [
  0n,
  1n,
  8n,
  11n,
  12n,
  13n,
  19n,
  20n,
  38n,
  39n,
  40n,
  41n,
  45n,
  46n,
  0x11n,
  0x20000n,
  0x20008n,
  0xffffffffn,
]
  .concat([0x7e020000n, 0x10000000n, 0x00020000n, 0x01200011n, 0x1_0000_0000n, 0x1_0000_0026n])
  .concat([0xffff_ffff_ffff_ffffn]);

describe("the default profile", () => {
  const sets: [string, readonly string[]][] = [
    ["docker's capabilities", DEFAULT_CAPABILITIES],
    ["none", []],
    ["all", CAPABILITIES],
  ];
  for (const machine of ["amd64", "arm64"] as const) {
    test.each(sets)(`on ${machine} with %s judges every number as its rules say`, (_, set) => {
      const profile = defaultSeccomp(machine, set);
      const filter = assembleSeccomp(profile, machine);
      for (const arch of profile.architectures) {
        const { audit } = AUDIT_ARCHES[arch];
        const numbers = [...Array(620).keys(), 0xf0000, 0xf0001, 0xf0002, 0xf0005, 0x3fffffff];
        for (const number of numbers) {
          const name = NAMES.get(arch)?.get(number) ?? "";
          const looksAtArgs = profile.syscalls.some(
            (rule) => rule.args !== undefined && rule.names.includes(name),
          );
          for (const arg of looksAtArgs ? INTERESTING_ARGS : [0n]) {
            const wide = AUDIT_ARCHES[arch].wordBits === 64 ? arg : BigInt.asUintN(32, arg);
            const args = [wide, 0n, 0n, 0n, 0n, 0n];
            const got = runFilter(filter, { audit, number: number + base(arch), args });
            const want = verdictByRules(profile, arch, number, args);
            if (got !== want) expect.fail(`${arch} ${number} ${name}(${arg}): ${got} not ${want}`);
          }
        }
      }
    });
  }

  test("kills what comes from an architecture that it doesn't list", () => {
    const filter = assembleSeccomp(defaultSeccomp("amd64", []), "amd64");
    const { audit } = AUDIT_ARCHES.SCMP_ARCH_AARCH64;
    expect(runFilter(filter, { audit, number: 0, args: [] })).toBe(KILL);
  });

  test("is a search and not a list: fewer instructions than names", () => {
    const filter = assembleSeccomp(defaultSeccomp("amd64", DEFAULT_CAPABILITIES), "amd64");
    expect(filter.length / 8).toBeLessThan(700);
  });

  test("assembles as this version of the assembler does", () => {
    // When this fails on purpose, raise ASSEMBLER_VERSION: filters kept on disk are outdated.
    const filter = assembleSeccomp(defaultSeccomp("amd64", DEFAULT_CAPABILITIES), "amd64");
    const digest = createHash("sha256").update(filter).digest("hex").slice(0, 16);
    expect([ASSEMBLER_VERSION, digest]).toMatchInlineSnapshot(`
      [
        2,
        "57107bd075e4149e",
      ]
    `);
  });
});

describe("any profile", () => {
  const value = fc.oneof(
    fc.integer({ min: 0, max: 64 }),
    fc.nat({ max: 0xffffffff }),
    fc.maxSafeNat(),
    fc.constantFrom(0xffffffff, 0x100000000, 0x80000000),
  );
  const condition: fc.Arbitrary<SeccompArg> = fc.record({
    index: fc.nat({ max: 5 }),
    value,
    valueTwo: value,
    op: fc.constantFrom(
      "SCMP_CMP_EQ",
      "SCMP_CMP_NE",
      "SCMP_CMP_LT",
      "SCMP_CMP_LE",
      "SCMP_CMP_GE",
      "SCMP_CMP_GT",
      "SCMP_CMP_MASKED_EQ",
    ),
  });
  const names = [...syscallNumbers("SCMP_ARCH_X86_64").keys()];
  const someNames = fc.subarray(names, { minLength: 1, maxLength: 60 });
  const rule = fc.record({
    // Few names often, so that rules meet on one system call.
    names: fc.oneof(fc.subarray(["read", "socket", "clone"], { minLength: 1 }), someNames),
    action: fc.constantFrom("SCMP_ACT_ALLOW" as const, "SCMP_ACT_ERRNO" as const),
    errnoRet: fc.integer({ min: 1, max: 4095 }),
    args: fc.uniqueArray(condition, { maxLength: 3, selector: (one) => one.index }),
  });

  test("is judged as its rules say, with far jumps and 64-bit arguments", () => {
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 40 }),
        fc.array(fc.tuple(fc.constantFrom(...names), value, value), { minLength: 20 }),
        (syscalls, calls) => {
          const profile: Seccomp = {
            defaultAction: "SCMP_ACT_ERRNO",
            defaultErrnoRet: 13,
            architectures: ["SCMP_ARCH_X86_64"],
            syscalls,
          };
          const filter = assembleSeccomp(profile, "amd64");
          const { audit } = AUDIT_ARCHES.SCMP_ARCH_X86_64;
          const operands = syscalls.flatMap((one) => one.args.map((arg) => arg.value));
          for (const [name, first, second] of [
            ...calls,
            ...operands.map((operand) => ["read", operand, operand] as const),
          ]) {
            const number = syscallNumbersOf("SCMP_ARCH_X86_64").get(name) ?? -1;
            const [a, b] = [BigInt(first), BigInt(second)];
            const args = [a, b, a, b, a, b];
            const want = verdictByRules(profile, "SCMP_ARCH_X86_64", number, args);
            expect(runFilter(filter, { audit, number, args })).toBe(want);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("takes two conditions on one argument for alternatives, as runc does", () => {
    const filter = assembleSeccomp(
      {
        defaultAction: "SCMP_ACT_ERRNO",
        architectures: ["SCMP_ARCH_X86_64"],
        syscalls: [
          {
            names: ["read"],
            action: "SCMP_ACT_ALLOW",
            args: [
              { index: 0, value: 3, op: "SCMP_CMP_EQ" },
              { index: 0, value: 5, op: "SCMP_CMP_EQ" },
            ],
          },
        ],
      },
      "amd64",
    );
    const { audit } = AUDIT_ARCHES.SCMP_ARCH_X86_64;
    const verdicts = [3n, 4n, 5n].map((arg) =>
      runFilter(filter, { audit, number: 0, args: [arg] }),
    );
    expect(verdicts).toEqual([ALLOW, errno(1), ALLOW]);
  });

  test("without x32 kills x32 programs, with everything allowed allows everything", () => {
    const allowAll: Seccomp = {
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: ["SCMP_ARCH_X86_64"],
      syscalls: [],
    };
    const filter = assembleSeccomp(allowAll, "amd64" satisfies MachineArch);
    const { audit } = AUDIT_ARCHES.SCMP_ARCH_X86_64;
    expect(runFilter(filter, { audit, number: 9999, args: [] })).toBe(ALLOW);
    expect(runFilter(filter, { audit, number: X32_BIT + 1, args: [] })).toBe(KILL);
  });

  test("that needs more instructions than a kernel takes is refused", () => {
    const syscalls = names.flatMap((name) =>
      [0, 1, 2].map((index) => ({
        names: [name],
        action: "SCMP_ACT_ALLOW" as const,
        args: [{ index, value: 7, op: "SCMP_CMP_EQ" as const }],
      })),
    );
    const profile: Seccomp = { defaultAction: "SCMP_ACT_ERRNO", architectures: [], syscalls };
    expect(() => assembleSeccomp(profile, "amd64")).toThrow(/filter instructions/);
  });
});
