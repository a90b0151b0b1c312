import { TsimgError } from "../../sys/error.ts";
import { constantValue } from "./constants.ts";
import type { ErrnoName } from "./errno.ts";
import { ERRNO } from "./errno.ts";
import type { Machine } from "./syscalls.ts";
import { syscallNumber } from "./syscalls.ts";
import type { Argument, Bytes, Operation, Pointer, Step, Strings, Tape, Words } from "./tape.ts";

/*
 * The image, little-endian, offsets from its start (src/launcher/tape.h has the same):
 *
 *     header        144 bytes
 *     steps         80 bytes each, four phases
 *     relocations   32 bits each: where in the image a 64-bit word is to have the image's
 *                   address added, as it holds an offset
 *     data          strings, arrays, structures; 8-byte aligned
 */
export const TAPE_MAGIC = 0x50415454;
export const TAPE_VERSION = 4;
export const HEADER_SIZE = 144;
export const STEP_SIZE = 80;
const NO_REGISTER = 255;

const MACHINE_NUMBERS: Readonly<Record<Machine, number>> = { x86_64: 62, aarch64: 183 };

const OPERATIONS: Readonly<Record<Operation, number>> = {
  skip: -1,
  fail: -2,
  poke: -3,
  rmtree: -4,
  init: -5,
  program: -6,
  print: -7,
  userns: -8,
  killgroup: -9,
  handover: -10,
  procfs: -11,
  procfsCheck: -12,
  hook: -13,
  awaitChild: -14,
  awaitLauncher: -15,
};

const OPTION_BITS = {
  detached: 1,
  tty: 2,
  stdin: 4,
  direct: 8,
  transient: 16,
  keepSignals: 32,
  relay: 64,
  handover: 128,
  leaveStdout: 256,
  leaveStderr: 512,
} as const;
const TOLERATE_ANY = 1;
const WARN = 2;
const RETRY_BUSY = 4;

/**
 * The launcher's image of `tape`, for one kind of machine.
 *
 * @param show what the launcher prints of a step that fails, beside its message
 */
export function encodeTape(tape: Tape, machine: Machine, show?: (step: Step) => string): Buffer {
  const phases = [tape.before, tape.beside, tape.child, tape.after];
  const stepCount = phases.reduce((sum, phase) => sum + phase.length, 0);
  const image = new Image(machine, HEADER_SIZE + stepCount * STEP_SIZE);

  let at = HEADER_SIZE;
  phases.forEach((phase, index) => {
    image.setUint32(36 + index * 8, at);
    image.setUint32(40 + index * 8, phase.length);
    for (const step of phase) {
      writeStep(image, at, step, machine);
      if (show !== undefined) image.setUint32(at + 28, image.string(show(step)));
      at += STEP_SIZE;
    }
  });
  const { files, health } = tape;
  const strings = [
    files.startedRecord,
    files.exitRecord,
    files.log,
    tape.printId,
    files.oom,
    files.attachSocket,
    tape.detachKeys,
    files.pid,
    health?.tape,
    health?.log,
  ];
  const { interval = 0, timeout = 0, startPeriod = 0, startInterval = 0 } = health ?? {};
  const numbers = [interval, timeout, startPeriod, startInterval];
  const offsets = strings.map((text) => (text === undefined ? 0 : image.string(text)));
  for (const [index, value] of [...offsets, ...numbers].entries()) {
    image.setUint32(68 + index * 4, value);
  }
  if (files.runtime !== undefined) {
    const { log, pid, command } = files.runtime;
    image.setUint32(124, image.string([log, pid, command].join("\n")));
  }
  image.setWord(128, files.logLimit?.size ?? 0);
  image.setUint32(136, files.logLimit?.files ?? 0);
  image.setUint32(0, TAPE_MAGIC);
  image.setUint32(4, TAPE_VERSION);
  image.setUint32(8, MACHINE_NUMBERS[machine]);
  image.setWord(16, constantValue(tape.cloneFlags, machine));
  image.setUint32(
    24,
    tape.options.reduce((bits, option) => bits | OPTION_BITS[option], 0),
  );
  return image.finish();
}

function writeStep(image: Image, at: number, step: Step, machine: Machine): void {
  const { call, args, tolerate } = step;
  image.setUint32(at, isOperation(call) ? OPERATIONS[call] : syscallNumber(call, machine));
  let registers = 0;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] ?? 0;
    if (typeof argument === "object" && argument.kind === "register") registers |= 1 << index;
    image.setArgument(at + 32 + index * 8, argument);
  }
  const marks =
    (tolerate === "any" ? TOLERATE_ANY : 0) |
    (step.warn ? WARN : 0) |
    (step.retryBusy ? RETRY_BUSY : 0);
  const result = step.result?.index ?? NO_REGISTER;
  image.setUint32(at + 4, result | (registers << 8) | (step.status << 16) | (marks << 24));
  if (tolerate !== "any") writeTolerated(image, at + 8, tolerate);
  image.setUint32(at + 16, step.skipOnOk | (step.skipOnTolerated << 16));
  image.setUint32(at + 20, image.string(step.why));
  if (step.hint !== undefined) image.setUint32(at + 24, image.string(step.hint));
}

function writeTolerated(image: Image, at: number, names: readonly ErrnoName[]): void {
  if (names.length > 4) throw new TsimgError("ERR_LAUNCH", "a step tolerates four errors at most");
  const [first = 0, second = 0, third = 0, fourth = 0] = names.map((name) => ERRNO[name]);
  image.setUint32(at, first | (second << 16));
  image.setUint32(at + 4, third | (fourth << 16));
}

function isOperation(call: Step["call"]): call is Operation {
  return Object.hasOwn(OPERATIONS, call);
}

/**
 * The image in the making. What pointers point to is appended behind the steps: equal
 * strings once, other objects once each. Plain numbers and one buffer, as this runs, not yet
 * compiled by V8, at every start of a container.
 */
class Image {
  readonly #machine: Machine;
  readonly #strings = new Map<string, number>();
  readonly #objects = new Map<object, number>();
  readonly #relocations: number[] = [];
  #buffer: Buffer;
  /** The same memory. Both machines are little-endian, as is every Node that runs on them. */
  #units: Int32Array;
  #end: number;

  constructor(machine: Machine, stepsEnd: number) {
    this.#machine = machine;
    this.#end = stepsEnd;
    const memory = new ArrayBuffer(align(stepsEnd * 2));
    this.#buffer = Buffer.from(memory);
    this.#units = new Int32Array(memory);
  }

  /** Where `text` stands, with its NUL. */
  string(text: string): number {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (text.includes("\0")) {
      const shown = JSON.stringify(text);
      throw new TsimgError("ERR_USAGE", `${shown} has a NUL byte, which no system call can take`);
    }
    // A UTF-16 unit takes at most 3 bytes of UTF-8.
    this.#reserve(text.length * 3 + 8);
    const at = this.#end;
    this.#end = align(at + this.#buffer.write(text, at) + 1);
    this.#strings.set(text, at);
    return at;
  }

  /** Cut to 32 bits; `at` is a multiple of 4. */
  setUint32(at: number, value: number): void {
    this.#units[at >> 2] = value;
  }

  setWord(at: number, value: number | bigint): void {
    const unit = at >> 2;
    if (typeof value === "bigint") {
      this.#units[unit] = Number(BigInt.asIntN(32, value));
      this.#units[unit + 1] = Number(BigInt.asIntN(32, value >> 32n));
    } else {
      this.#units[unit] = value;
      this.#units[unit + 1] = Math.floor(value / 0x1_0000_0000);
    }
  }

  setArgument(at: number, argument: Argument): void {
    if (typeof argument === "number" || typeof argument === "bigint") {
      this.setWord(at, argument);
    } else if (typeof argument === "string") {
      this.#setPointer(at, this.string(argument));
    } else if (argument.kind === "flags") {
      this.setWord(at, constantValue(argument.names, this.#machine) | (argument.bits ?? 0));
    } else if (argument.kind === "register") {
      this.setWord(at, argument.index);
    } else {
      this.#setPointer(at, this.#place(argument));
    }
  }

  /** Writes where the relocations are, and puts them at the end. */
  finish(): Buffer {
    const table = this.#end;
    this.#reserve(this.#relocations.length * 4);
    for (const at of this.#relocations) {
      this.setUint32(this.#end, at);
      this.#end += 4;
    }
    this.setUint32(12, this.#end);
    this.setUint32(28, table);
    this.setUint32(32, this.#relocations.length);
    return this.#buffer.subarray(0, this.#end);
  }

  #setPointer(at: number, target: number): void {
    this.#relocations.push(at);
    this.#units[at >> 2] = target;
  }

  #place(pointer: Exclude<Pointer, string>): number {
    if (pointer.kind === "place") return this.#place(pointer.of) + pointer.offset;
    const known = this.#objects.get(pointer);
    if (known !== undefined) return known;
    const at = this.#store(pointer);
    this.#objects.set(pointer, at);
    return at;
  }

  #store(pointer: Bytes | Words | Strings): number {
    if (pointer.kind === "bytes") {
      const at = this.#take(pointer.bytes.length);
      this.#buffer.set(pointer.bytes, at);
      return at;
    }
    const content = pointer.kind === "words" ? pointer.words : [...pointer.values, 0];
    const at = this.#take(content.length * 8);
    for (const [index, word] of content.entries()) this.setArgument(at + index * 8, word);
    return at;
  }

  #take(size: number): number {
    this.#reserve(size + 8);
    const at = this.#end;
    this.#end = align(at + size);
    return at;
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#buffer.length) return;
    const memory = new ArrayBuffer(align((this.#end + size) * 2));
    const larger = Buffer.from(memory);
    larger.set(this.#buffer);
    this.#buffer = larger;
    this.#units = new Int32Array(memory);
  }
}

function align(offset: number): number {
  return (offset + 7) & ~7;
}
