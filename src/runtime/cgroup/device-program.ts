import type { DeviceRule } from "../../oci/linux-resources.ts";
import { TsimgError } from "../../sys/error.ts";

/** As the kernel numbers them. @see linux/bpf.h, BPF_DEVCG_ACC_*, BPF_DEVCG_DEV_* */
const ACCESS_BITS = { m: 1, r: 2, w: 4 } as const;
const ALL_ACCESS = 7;
const KINDS = { b: 1, c: 2 } as const;

/** Opcodes of eBPF that occur here. @see linux/bpf.h, linux/bpf_common.h */
const LOAD_WORD = 0x61;
const MOVE = 0xb4;
const MOVE_REGISTER = 0xbc;
const AND = 0x54;
const SHIFT_RIGHT = 0x74;
const EXIT = 0x95;
const JUMP_IF_ZERO_OR_EQUAL = 0x16;
const JUMP_UNLESS_EQUAL = 0x56;

/** Registers: the answer, the context, and what is taken out of it. */
const ANSWER = 0;
const CONTEXT = 1;
const ACCESS = 2;
const KIND = 3;
const MAJOR = 4;
const MINOR = 5;

const INSTRUCTION_SIZE = 8;

interface Instruction {
  readonly opcode: number;
  readonly target: number;
  readonly source?: number;
  /** Instructions to skip. */
  readonly offset?: number;
  readonly immediate?: number;
}

/** Whether the rule is about every device and every access. */
export function isTotal({ type = "a", major, minor, access = "rwm" }: DeviceRule): boolean {
  const anyDevice = type === "a" && major === undefined && minor === undefined;
  return anyDevice && accessBits(access) === ALL_ACCESS;
}

/**
 * The rules as a program for BPF_PROG_TYPE_CGROUP_DEVICE: version 2 asks it whether a device
 * may be made or opened. Undefined when the rules forbid nothing.
 *
 * A later rule wins, separately for each kind of access; what no rule is about is allowed, as
 * in a version 1 group that was just made. So the rules are tried from the last to the first:
 * one that forbids part of what is asked ends in "no", one that allows takes its part off,
 * and nothing left over is a "yes".
 *
 * @throws TsimgError ERR_CONFIG_INVALID for a rule that makes no sense
 */
export function deviceProgram(rules: readonly DeviceRule[]): Uint8Array | undefined {
  const relevant = relevantRules(rules);
  if (relevant.length === 0) return undefined;
  const instructions: Instruction[] = [
    { opcode: LOAD_WORD, target: ACCESS, source: CONTEXT, offset: 0 },
    { opcode: MOVE_REGISTER, target: KIND, source: ACCESS },
    // The low half of the first word is the kind of device, the high half the access.
    { opcode: AND, target: KIND, immediate: 0xffff },
    { opcode: SHIFT_RIGHT, target: ACCESS, immediate: 16 },
    { opcode: LOAD_WORD, target: MAJOR, source: CONTEXT, offset: 4 },
    { opcode: LOAD_WORD, target: MINOR, source: CONTEXT, offset: 8 },
    ...relevant.flatMap(ruleInstructions),
  ];
  // After a rule about everything, nothing can be reached, which the kernel would refuse.
  if (!isTotal(relevant.at(-1) ?? { allow: true })) instructions.push(...answer(1));
  return encode(instructions);
}

/** From the last to the first, without those that can't matter any more. */
function relevantRules(rules: readonly DeviceRule[]): readonly DeviceRule[] {
  const last = rules.findLastIndex(isTotal);
  const kept = rules.slice(Math.max(0, last));
  const firstDenial = kept.findIndex((rule) => !rule.allow);
  // What is allowed before anything is forbidden is allowed anyway.
  return firstDenial < 0 ? [] : kept.slice(firstDenial).reverse();
}

function ruleInstructions(rule: DeviceRule): readonly Instruction[] {
  const verdict = isAboutAllAccess(rule) ? answer(rule.allow ? 1 : 0) : partialVerdict(rule);
  const { type = "a", major, minor } = rule;
  const conditions = [
    ...(type === "a" ? [] : [{ register: KIND, value: KINDS[type] }]),
    ...(major === undefined ? [] : [{ register: MAJOR, value: numberIn(major) }]),
    ...(minor === undefined ? [] : [{ register: MINOR, value: numberIn(minor) }]),
  ];
  const tests = conditions.map(({ register, value }, index) => ({
    opcode: JUMP_UNLESS_EQUAL,
    target: register,
    immediate: value,
    offset: conditions.length - 1 - index + verdict.length,
  }));
  return [...tests, ...verdict];
}

function isAboutAllAccess({ access = "rwm" }: DeviceRule): boolean {
  return accessBits(access) === ALL_ACCESS;
}

function partialVerdict({ allow, access = "rwm" }: DeviceRule): readonly Instruction[] {
  const bits = accessBits(access);
  if (allow) {
    return [
      { opcode: AND, target: ACCESS, immediate: ALL_ACCESS & ~bits },
      { opcode: JUMP_UNLESS_EQUAL, target: ACCESS, immediate: 0, offset: 2 },
      ...answer(1),
    ];
  }
  return [
    { opcode: MOVE_REGISTER, target: ANSWER, source: ACCESS },
    { opcode: AND, target: ANSWER, immediate: bits },
    { opcode: JUMP_IF_ZERO_OR_EQUAL, target: ANSWER, immediate: 0, offset: 2 },
    ...answer(0),
  ];
}

function answer(value: 0 | 1): readonly Instruction[] {
  return [
    { opcode: MOVE, target: ANSWER, immediate: value },
    { opcode: EXIT, target: 0 },
  ];
}

function accessBits(access: string): number {
  let bits = 0;
  for (const letter of access) {
    if (letter !== "r" && letter !== "w" && letter !== "m") throw invalid(`access "${access}"`);
    bits |= ACCESS_BITS[letter];
  }
  return bits;
}

/** Numbers are 12 and 20 bits to the kernel; -1 is how some spell "all". */
function numberIn(value: number): number {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
  throw invalid(`number ${value}`);
}

function invalid(what: string): TsimgError {
  return new TsimgError("ERR_CONFIG_INVALID", `invalid ${what} in a device rule`, {
    hint: "access is letters of rwm, numbers are whole and not negative",
  });
}

/** struct bpf_insn, 8 bytes each. */
function encode(instructions: readonly Instruction[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(instructions.length * INSTRUCTION_SIZE));
  for (const [index, instruction] of instructions.entries()) {
    const at = index * INSTRUCTION_SIZE;
    const { opcode, target, source = 0, offset = 0, immediate = 0 } = instruction;
    view.setUint8(at, opcode);
    view.setUint8(at + 1, target | (source << 4));
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, immediate, true);
  }
  return new Uint8Array(view.buffer);
}
