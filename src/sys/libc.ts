import { createRequire } from "node:module";
import { ErrnoError, type ErrnoPlace } from "./errno.ts";

// The values of ffi-rs' DataType, which is a TypeScript enum that exists only at run time.
const I32 = 1;
const VOID = 7;
const I64 = 8;
const BYTES = 10;
const U64 = 12;

/**
 * C prototypes of what is called, by argument. Strings travel as NUL-ended bytes, since
 * paths need not be UTF-8.
 */
const PROTOTYPES = {
  chroot: [BYTES],
  unshare: [I32],
  setns: [I32, I32],
  mount: [BYTES, BYTES, BYTES, U64, BYTES],
  umount2: [BYTES, I32],
  lsetxattr: [BYTES, BYTES, BYTES, U64, I32],
  lgetxattr: [BYTES, BYTES, BYTES, U64],
  lremovexattr: [BYTES, BYTES],
  llistxattr: [BYTES, BYTES, U64],
  flistxattr: [I32, BYTES, U64],
  fgetxattr: [I32, BYTES, BYTES, U64],
  fsetxattr: [I32, BYTES, BYTES, U64, I32],
  mknod: [BYTES, I32, U64],
  utimensat: [I32, BYTES, BYTES, I32],
  futimens: [I32, BYTES],
  linkat: [I32, BYTES, I32, BYTES, I32],
  lseek: [I32, I64, I32],
  ioctl: [I32, U64, BYTES],
  open_by_handle_at: [I32, BYTES, I32],
  syncfs: [I32],
  flock: [I32, I32],
  prctl: [I32, U64, U64, U64, U64],
  capset: [BYTES, BYTES],
  setfsuid: [I32],
  setfsgid: [I32],
  fsopen: [BYTES, I32],
  fsconfig: [I32, I32, BYTES, BYTES, I32],
  fsmount: [I32, I32, I32],
  move_mount: [I32, BYTES, I32, BYTES, I32],
  open_tree: [I32, BYTES, I32],
  mount_setattr: [I32, BYTES, I32, BYTES, U64],
  // openat2(2), for which libc has no function: number, directory, path, struct open_how, its size.
  syscall: [I64, I32, BYTES, BYTES, U64],
  memfd_create: [BYTES, I32],
} as const;

/** What returns more than an int. */
const LONG: ReadonlySet<string> = new Set(["lseek", "syscall"]);

type Ffi = typeof import("ffi-rs");
type Argument = Buffer | number;

let ffi: Ffi | undefined;

/**
 * Opens libc once. ffi-rs is loaded here and on the first call, not on import: it costs
 * 7 ms, which most commands have no use for.
 */
function libc(): Ffi {
  if (ffi === undefined) {
    ffi = createRequire(import.meta.url)("ffi-rs") as Ffi;
    ffi.open({ library: "libc", path: "libc.so.6" });
  }
  return ffi;
}

/**
 * Calls a libc function on this thread. The number 0 in the place of bytes is NULL.
 *
 * @returns what it returned, never -1
 * @throws ErrnoError when it returned -1
 */
export function invoke(
  name: keyof typeof PROTOTYPES,
  args: readonly Argument[],
  place: ErrnoPlace = {},
): number {
  const answer = libc().load({
    library: "libc",
    funcName: name,
    retType: LONG.has(name) ? I64 : I32,
    paramsType: PROTOTYPES[name].map((type, index) => {
      const isNull = type === BYTES && typeof args[index] === "number";
      return isNull ? U64 : type;
    }),
    paramsValue: [...args],
    errno: true,
  }) as { value: number; errnoCode: number };
  // errno is stale after a success: it means something only beside -1.
  if (answer.value === -1) throw new ErrnoError(name, answer.errnoCode, place);
  return answer.value;
}

/**
 * Calls a libc function on a thread of libuv's pool: for calls that take long and change
 * nothing about the thread they run on.
 */
export async function invokeElsewhere(
  name: keyof typeof PROTOTYPES,
  args: readonly Argument[],
  place: ErrnoPlace = {},
): Promise<void> {
  const answer = (await libc().load({
    library: "libc",
    funcName: name,
    retType: I32,
    paramsType: [...PROTOTYPES[name]],
    paramsValue: [...args],
    errno: true,
    runInNewThread: true,
  })) as { value: number; errnoCode: number };
  if (answer.value === -1) throw new ErrnoError(name, answer.errnoCode, place);
}

/** What a C function takes or gives; a pointer is the number of an address. */
export type CType = "int" | "pointer" | "bytes" | "void";

const C_TYPES: Readonly<Record<CType, number>> = {
  int: I32,
  pointer: I64,
  bytes: BYTES,
  void: VOID,
};

/** Its answer, then its parameters. An unsigned int is an int: wrap it with `| 0`. */
export type CPrototype = readonly [CType, ...CType[]];

/**
 * Opens another shared library than libc and gives its functions, on this thread.
 *
 * @returns what calls a function by name: its answer as it is, 0 for void
 * @throws Error when the library isn't there; at a call, when it has no such function
 */
export function openLibrary<Name extends string>(
  file: string,
  prototypes: Readonly<Record<Name, CPrototype>>,
): (name: Name, args: readonly Argument[]) => number {
  const ffi = libc();
  ffi.open({ library: file, path: file });
  // Made once for each function, as a library may be called thousands of times in a row.
  const calls = new Map<string, object>();
  for (const [funcName, [answer, ...parameters]] of Object.entries<CPrototype>(prototypes)) {
    const paramsType = parameters.map((type) => C_TYPES[type]);
    calls.set(funcName, { library: file, funcName, retType: C_TYPES[answer], paramsType });
  }
  return (name, paramsValue) => {
    const call = { ...calls.get(name), paramsValue } as Parameters<Ffi["load"]>[0];
    const value: unknown = ffi.load(call);
    return typeof value === "number" ? value : 0;
  };
}

/** A NUL-ended C string. */
export function cString(text: string | Buffer): Buffer {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}

/** A C string for messages. */
export function shown(text: string | Buffer): string {
  return typeof text === "string" ? text : text.toString("latin1");
}
