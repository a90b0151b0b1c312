import { ERRNO } from "../../../../src/runtime/tape/errno.ts";
import type { Machine } from "../../../../src/runtime/tape/syscalls.ts";
import { SYSCALL_NAMES, syscallNumber } from "../../../../src/runtime/tape/syscalls.ts";

export interface ReadStep {
  readonly call: string;
  readonly args: readonly bigint[];
  readonly registers: readonly boolean[];
  readonly result: number;
  readonly status: number;
  readonly flags: number;
  readonly tolerate: readonly string[];
  readonly skipOnOk: number;
  readonly skipOnTolerated: number;
  readonly why: string;
  readonly hint: string | undefined;
}

/** Reads an image as the launcher does, from the layout in src/launcher/tape.h alone. */
export class ImageReader {
  readonly image: Buffer;
  readonly machine: Machine;
  readonly relocations: ReadonlySet<number>;

  constructor(image: Buffer, machine: Machine) {
    this.image = image;
    this.machine = machine;
    const [at, count] = [image.readUInt32LE(28), image.readUInt32LE(32)];
    this.relocations = new Set(
      Array.from({ length: count }, (_, index) => image.readUInt32LE(at + index * 4)),
    );
  }

  string(at: number): string {
    return this.image.toString("utf8", at, this.image.indexOf(0, at));
  }

  phase(index: 0 | 1 | 2 | 3): readonly ReadStep[] {
    const at = this.image.readUInt32LE(36 + index * 8);
    const count = this.image.readUInt32LE(40 + index * 8);
    return Array.from({ length: count }, (_, step) => this.#step(at + step * 80));
  }

  #step(at: number): ReadStep {
    const image = this.image;
    const number = image.readInt32LE(at);
    const errors = [0, 2, 4, 6].map((offset) => image.readUInt16LE(at + 8 + offset));
    const mask = image.readUInt8(at + 5);
    const hint = image.readUInt32LE(at + 24);
    return {
      call:
        number < 0
          ? (["skip", "fail", "poke", "rmtree", "init", "program", "print", "userns", "killgroup"][
              -number - 1
            ] ?? "?")
          : (SYSCALL_NAMES.find((name) => syscallNumber(name, this.machine) === number) ?? "?"),
      args: [0, 1, 2, 3, 4, 5].map((index) => image.readBigUInt64LE(at + 32 + index * 8)),
      registers: [0, 1, 2, 3, 4, 5].map((index) => ((mask >> index) & 1) === 1),
      result: image.readUInt8(at + 4),
      status: image.readUInt8(at + 6),
      flags: image.readUInt8(at + 7),
      tolerate: Object.entries(ERRNO)
        .filter(([, value]) => errors.includes(value))
        .map(([name]) => name),
      skipOnOk: image.readUInt16LE(at + 16),
      skipOnTolerated: image.readUInt16LE(at + 18),
      why: this.string(image.readUInt32LE(at + 20)),
      hint: hint === 0 ? undefined : this.string(hint),
    };
  }
}
