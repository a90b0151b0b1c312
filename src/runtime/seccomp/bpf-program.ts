import { TsimgError } from "../../sys/error.ts";

/** linux/filter.h: what a seccomp filter may use of classic BPF. */
export const BPF = {
  loadWord: 0x20,
  and: 0x54,
  jump: 0x05,
  ifEqual: 0x15,
  ifGreater: 0x25,
  ifNotLess: 0x35,
  answer: 0x06,
} as const;

export type BranchTest = typeof BPF.ifEqual | typeof BPF.ifGreater | typeof BPF.ifNotLess;

/** An instruction already written, as a target for those written later. */
export type Label = number & { readonly label: never };

/** Instructions a kernel accepts in one filter (BPF_MAXINSNS). */
const MAX_INSTRUCTIONS = 4096;

/** A branch counts its distance in one byte. */
const MAX_BRANCH = 255;

/** An answer further away than this is written again: one instruction, as a detour would be. */
const ANSWER_REACH = 200;

/**
 * A classic BPF program, written from its last instruction to its first.
 *
 * Jumps only lead forward. So when each instruction is written before those that lead to it,
 * every distance is known at once, and where a branch can't reach its target a detour is put
 * right behind it.
 */
export class BpfProgram {
  readonly #words: number[] = [];
  readonly #answers = new Map<number, Label>();

  get length(): number {
    return this.#words.length / 2;
  }

  /** Takes in a finished program, to be entered at its first instruction. */
  include(program: Buffer): Label {
    let label = this.length as Label;
    for (let at = program.length - 8; at >= 0; at -= 8) {
      label = this.length as Label;
      this.#words.push(program.readUInt32LE(at), program.readUInt32LE(at + 4));
    }
    return label;
  }

  /** Ends the program with a seccomp return value. */
  answer(value: number): Label {
    const earlier = this.#answers.get(value);
    if (earlier !== undefined && this.length - earlier < ANSWER_REACH) return earlier;
    const label = this.#write(BPF.answer, 0, 0, value);
    this.#answers.set(value, label);
    return label;
  }

  /** Takes the 32-bit word at `offset` of `seccomp_data`, then goes on at `next`. */
  load(offset: number, next: Label): Label {
    this.#continueAt(next);
    return this.#write(BPF.loadWord, 0, 0, offset);
  }

  /** Masks the word taken, then goes on at `next`. */
  and(mask: number, next: Label): Label {
    this.#continueAt(next);
    return this.#write(BPF.and, 0, 0, mask);
  }

  branch(test: BranchTest, operand: number, yes: Label, no: Label): Label {
    if (yes === no) return yes;
    // A detour for one pushes the other an instruction further away.
    const nearNo = this.#withinReach(no, 1);
    const nearYes = this.#withinReach(yes, 0);
    return this.#write(test, this.length - nearYes - 1, this.length - nearNo - 1, operand);
  }

  /** `struct sock_filter[]`, first instruction first, little-endian. */
  encode(): Buffer {
    if (this.length > MAX_INSTRUCTIONS) {
      throw new TsimgError(
        "ERR_CONFIG_INVALID",
        `seccomp profile needs ${this.length} filter instructions, the kernel takes ${MAX_INSTRUCTIONS}`,
        { hint: "use fewer rules with conditions" },
      );
    }
    const filter = new Uint32Array(this.#words.length);
    let to = 0;
    for (let from = this.#words.length - 2; from >= 0; from -= 2) {
      filter[to++] = this.#words[from] ?? 0;
      filter[to++] = this.#words[from + 1] ?? 0;
    }
    return Buffer.from(filter.buffer);
  }

  #withinReach(target: Label, room: number): Label {
    return this.length - target - 1 + room <= MAX_BRANCH ? target : this.#jump(target);
  }

  #continueAt(next: Label): void {
    if (next !== this.length - 1) this.#jump(next);
  }

  #jump(target: Label): Label {
    return this.#write(BPF.jump, 0, 0, this.length - target - 1);
  }

  #write(code: number, yes: number, no: number, operand: number): Label {
    const label = this.length as Label;
    this.#words.push(code | (yes << 16) | (no << 24), operand);
    return label;
  }
}
