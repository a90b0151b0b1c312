import type { Seccomp, SeccompArch, SeccompArg } from "../../../src/oci/runtime-spec.ts";
import {
  AUDIT_ARCHES,
  MACHINE_ARCHES,
  type MachineArch,
} from "../../../src/runtime/seccomp/architectures.ts";
import { syscallNumbers, X32_BIT } from "../../../src/runtime/seccomp/syscall-numbers.ts";
import type { Call } from "../../unit/runtime/seccomp/bpf-interpreter.ts";

const ALL_ARCHES: readonly SeccompArch[] = [...MACHINE_ARCHES.amd64, ...MACHINE_ARCHES.arm64];

/** Every number that a table has or could have soon, ARM's own, and what no kernel has. */
const NUMBERS = [
  ...Array(620).keys(),
  ...[0xf0000, 0xf0001, 0xf0002, 0xf0003, 0xf0005, 0xf0006, 0xf0007, 0x3fffffff],
];
const BEYOND = [X32_BIT, X32_BIT + 1, X32_BIT + 547, 0x7fffffff, 0x80000000, 0xffffffff];

const ZERO = [0n, 0n, 0n, 0n, 0n, 0n];
const MAX = 2n ** 64n - 1n;

/**
 * The calls that tell two filters of a profile apart: all numbers on all architectures, listed
 * or not, and where a rule has conditions, arguments around each of their operands.
 */
export function* tellingCalls(profile: Seccomp, machine: MachineArch): Iterable<Call> {
  const listed = new Set([MACHINE_ARCHES[machine][0], ...profile.architectures]);
  for (const arch of ALL_ARCHES) {
    const { audit, wordBits } = AUDIT_ARCHES[arch];
    const base = arch === "SCMP_ARCH_X32" ? X32_BIT : 0;
    const conditions = listed.has(arch) ? conditionsByNumber(profile, arch) : new Map();
    for (const number of NUMBERS) {
      for (const args of argumentsFor(conditions.get(number) ?? [], wordBits)) {
        yield { audit, number: number + base, args };
      }
    }
    for (const number of BEYOND) yield { audit, number, args: ZERO };
  }
  yield { audit: 0x12345678, number: 0, args: ZERO };
}

function conditionsByNumber(
  profile: Seccomp,
  arch: SeccompArch,
): ReadonlyMap<number, readonly SeccompArg[]> {
  const numbers = syscallNumbers(arch);
  const conditions = new Map<number, readonly SeccompArg[]>();
  for (const { names, args = [] } of profile.syscalls) {
    for (const name of names) {
      const number = numbers.get(name) ?? -1;
      conditions.set(number, [...(conditions.get(number) ?? []), ...args]);
    }
  }
  return conditions;
}

/** Each argument through all its values while the others stand, and all of them met at once. */
function* argumentsFor(
  conditions: readonly SeccompArg[],
  wordBits: 32 | 64,
): Iterable<readonly bigint[]> {
  yield ZERO;
  if (conditions.length === 0) return;
  const clip = (value: bigint) => BigInt.asUintN(wordBits, value);
  const met = [...ZERO];
  for (const { index, value, valueTwo = 0, op } of conditions) {
    met[index] = clip(BigInt(op === "SCMP_CMP_MASKED_EQ" ? valueTwo : value));
  }
  for (const from of [ZERO, met]) {
    for (const condition of conditions) {
      for (const value of valuesAround(condition)) {
        yield from.with(condition.index, clip(value));
      }
    }
  }
}

function valuesAround({ value, valueTwo = 0 }: SeccompArg): readonly bigint[] {
  const operands = [BigInt(value), BigInt(valueTwo), BigInt(value) & BigInt(valueTwo)];
  const high = 1n << 32n;
  const near = operands.flatMap((one) => [one - 1n, one, one + 1n, one ^ high, one + high]);
  return [...new Set([...near, 0n, high - 1n, high, MAX].map((one) => BigInt.asUintN(64, one)))];
}
