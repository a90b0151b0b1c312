import type { SeccompArg } from "../../oci/runtime-spec.ts";
import { BPF, type BpfProgram, type Label } from "./bpf-program.ts";

/** Where the arguments begin in `struct seccomp_data`; 8 bytes each, little-endian. */
const ARGS = 16;

const WORD = 2 ** 32;

/**
 * Writes the test that all of `args` hold, and answers with where it begins.
 *
 * An argument of a 32-bit architecture has no upper half to look at.
 */
export function whenAll(
  program: BpfProgram,
  args: readonly SeccompArg[],
  wordBits: 32 | 64,
  yes: Label,
  no: Label,
): Label {
  let label = yes;
  for (const arg of args.toReversed()) label = when(program, arg, wordBits, label, no);
  return label;
}

function when(
  program: BpfProgram,
  arg: SeccompArg,
  wordBits: 32 | 64,
  yes: Label,
  no: Label,
): Label {
  const low = ARGS + 8 * arg.index;
  const high = wordBits === 64 ? low + 4 : undefined;
  switch (arg.op) {
    case "SCMP_CMP_EQ":
      return equal(program, low, high, arg.value, yes, no);
    case "SCMP_CMP_NE":
      return equal(program, low, high, arg.value, no, yes);
    case "SCMP_CMP_GT":
      return above(program, BPF.ifGreater, low, high, arg.value, yes, no);
    case "SCMP_CMP_LE":
      return above(program, BPF.ifGreater, low, high, arg.value, no, yes);
    case "SCMP_CMP_GE":
      return above(program, BPF.ifNotLess, low, high, arg.value, yes, no);
    case "SCMP_CMP_LT":
      return above(program, BPF.ifNotLess, low, high, arg.value, no, yes);
    case "SCMP_CMP_MASKED_EQ":
      return maskedEqual(program, low, high, arg.value, arg.valueTwo ?? 0, yes, no);
  }
}

function equal(
  program: BpfProgram,
  low: number,
  high: number | undefined,
  value: number,
  yes: Label,
  no: Label,
): Label {
  const lower = program.load(low, program.branch(BPF.ifEqual, lowHalf(value), yes, no));
  if (high === undefined) return lower;
  return program.load(high, program.branch(BPF.ifEqual, highHalf(value), lower, no));
}

function above(
  program: BpfProgram,
  test: typeof BPF.ifGreater | typeof BPF.ifNotLess,
  low: number,
  high: number | undefined,
  value: number,
  yes: Label,
  no: Label,
): Label {
  const lower = program.load(low, program.branch(test, lowHalf(value), yes, no));
  if (high === undefined) return lower;
  const tied = program.branch(BPF.ifEqual, highHalf(value), lower, no);
  return program.load(high, program.branch(BPF.ifGreater, highHalf(value), yes, tied));
}

function maskedEqual(
  program: BpfProgram,
  low: number,
  high: number | undefined,
  mask: number,
  value: number,
  yes: Label,
  no: Label,
): Label {
  // Bits of the value that the mask doesn't have count for nothing, as libseccomp has it.
  const test = (offset: number, half: (value: number) => number, then: Label) => {
    const wanted = (half(value) & half(mask)) >>> 0;
    const compare = program.branch(BPF.ifEqual, wanted, then, no);
    return program.load(offset, program.and(half(mask), compare));
  };
  const lower = test(low, lowHalf, yes);
  if (high === undefined || highHalf(mask) === 0) return lower;
  return test(high, highHalf, lower);
}

function lowHalf(value: number): number {
  return value % WORD;
}

function highHalf(value: number): number {
  return Math.floor(value / WORD);
}
