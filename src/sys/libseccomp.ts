import { closeSync, fstatSync, readSync } from "node:fs";
import { ErrnoError } from "./errno.ts";
import { cString, invoke, openLibrary } from "./libc.ts";

const PROTOTYPES = {
  seccomp_init: ["pointer", "int"],
  seccomp_release: ["void", "pointer"],
  seccomp_merge: ["int", "pointer", "pointer"],
  seccomp_arch_native: ["int"],
  seccomp_arch_add: ["int", "pointer", "int"],
  seccomp_arch_remove: ["int", "pointer", "int"],
  seccomp_attr_set: ["int", "pointer", "int", "int"],
  seccomp_rule_add_exact_array: ["int", "pointer", "int", "int", "int", "bytes"],
  seccomp_syscall_resolve_name: ["int", "bytes"],
  seccomp_syscall_resolve_name_arch: ["int", "int", "bytes"],
  seccomp_export_bpf: ["int", "pointer", "int"],
} as const;

type Call = ReturnType<typeof openLibrary<keyof typeof PROTOTYPES>>;

/** `enum scmp_compare` */
export const COMPARE = { NE: 1, LT: 2, LE: 3, EQ: 4, GE: 5, GT: 6, MASKED_EQ: 7 } as const;

/** `enum scmp_filter_attr`, as far as it is used. */
const ATTRIBUTES = { ACT_BADARCH: 2, CTL_OPTIMIZE: 8 } as const;

/** sizeof(struct scmp_arg_cmp) */
const COMPARISON_SIZE = 24;

const MFD_CLOEXEC = 1;

export interface Comparison {
  /** 0 to 5. */
  readonly arg: number;
  readonly op: (typeof COMPARE)[keyof typeof COMPARE];
  /** The number compared with; the mask for MASKED_EQ. */
  readonly first: bigint;
  /** What the masked argument must equal; 0 otherwise. */
  readonly second: bigint;
}

/** libseccomp.so.2, version 2.5 or newer. */
export class Libseccomp {
  readonly #call: Call;
  readonly #resolved = new Map<string, number | undefined>();
  /** `SCMP_ARCH_…` of the machine. */
  readonly nativeArch: number;

  private constructor(call: Call) {
    this.#call = call;
    this.nativeArch = call("seccomp_arch_native", []) >>> 0;
  }

  /** Undefined where it isn't installed. */
  static open(): Libseccomp | undefined {
    try {
      return new Libseccomp(openLibrary("libseccomp.so.2", PROTOTYPES));
    } catch {
      return undefined;
    }
  }

  /**
   * The number by which `addRule` knows a system call: the machine's own, or a negative one of
   * the library's for calls that only other architectures have. Undefined for a name that it
   * doesn't know.
   */
  resolve(name: string): number | undefined {
    if (!this.#resolved.has(name)) {
      this.#resolved.set(name, known(this.#call("seccomp_syscall_resolve_name", [cString(name)])));
    }
    return this.#resolved.get(name);
  }

  /** The number of a system call of `arch`; negative when it has none of its own there. */
  resolveFor(arch: number, name: string): number | undefined {
    return known(this.#call("seccomp_syscall_resolve_name_arch", [arch | 0, cString(name)]));
  }

  /**
   * An empty filter for one architecture.
   *
   * @param byDefault a seccomp return value
   * @throws ErrnoError
   */
  filter(arch: number, byDefault: number): LibseccompFilter {
    const pointer = this.#call("seccomp_init", [byDefault | 0]);
    if (pointer === 0) throw new ErrnoError("seccomp_init", EINVAL);
    const filter = new LibseccompFilter(this.#call, pointer);
    if (arch !== this.nativeArch) filter.replaceArch(this.nativeArch, arch);
    return filter;
  }
}

const EINVAL = 22;

/** `__NR_SCMP_ERROR` */
function known(number: number): number | undefined {
  return number === -1 ? undefined : number;
}

/** A filter in the library's memory, freed when it is disposed of. */
export class LibseccompFilter implements Disposable {
  readonly #call: Call;
  #pointer: number;

  constructor(call: Call, pointer: number) {
    this.#call = call;
    this.#pointer = pointer;
  }

  [Symbol.dispose](): void {
    if (this.#pointer !== 0) this.#call("seccomp_release", [this.#pointer]);
    this.#pointer = 0;
  }

  replaceArch(before: number, after: number): void {
    this.#check("seccomp_arch_remove", before | 0);
    this.#check("seccomp_arch_add", after | 0);
  }

  /** What becomes of programs of other architectures: a seccomp return value. */
  setOtherArches(action: number): void {
    this.#check("seccomp_attr_set", ATTRIBUTES.ACT_BADARCH, action | 0);
  }

  /** Searches numbers as a binary tree, not one after the other. */
  searchAsTree(): void {
    this.#check("seccomp_attr_set", ATTRIBUTES.CTL_OPTIMIZE, 2);
  }

  /**
   * Adds a rule: `action` for calls of `syscall` on which all comparisons hold.
   *
   * @returns false when the library can't take it exactly as it is
   */
  addRule(action: number, syscall: number, comparisons: readonly Comparison[]): boolean {
    const bytes = Buffer.alloc(Math.max(1, comparisons.length) * COMPARISON_SIZE);
    for (const [index, { arg, op, first, second }] of comparisons.entries()) {
      const at = index * COMPARISON_SIZE;
      bytes.writeUInt32LE(arg, at);
      bytes.writeUInt32LE(op, at + 4);
      bytes.writeBigUInt64LE(first, at + 8);
      bytes.writeBigUInt64LE(second, at + 16);
    }
    const args = [this.#pointer, action | 0, syscall, comparisons.length, bytes];
    return this.#call("seccomp_rule_add_exact_array", args) === 0;
  }

  /** Takes over the rules of `other`, whose architecture must be another; `other` is then gone. */
  merge(other: LibseccompFilter): void {
    this.#check("seccomp_merge", other.#pointer);
    other.#pointer = 0;
  }

  /** `struct sock_filter[]` */
  export(): Buffer {
    const file = invoke("memfd_create", [cString("tsimg-filter"), MFD_CLOEXEC]);
    try {
      this.#check("seccomp_export_bpf", file);
      const program = Buffer.alloc(fstatSync(file).size);
      const read = readSync(file, program, 0, program.length, 0);
      return program.subarray(0, read);
    } finally {
      closeSync(file);
    }
  }

  #check(name: keyof typeof PROTOTYPES, ...args: readonly number[]): void {
    // The library's functions answer with a negative errno.
    const answer = this.#call(name, [this.#pointer, ...args]);
    if (answer < 0) throw new ErrnoError(name, -answer);
  }
}
