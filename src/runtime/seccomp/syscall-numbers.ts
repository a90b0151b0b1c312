import type { SeccompArch } from "../../oci/runtime-spec.ts";
import {
  AMD64_SYSCALLS,
  ARM_SYSCALLS,
  ARM64_SYSCALLS,
  I386_SYSCALLS,
  X32_ABSENT_SYSCALLS,
  X32_OWN_SYSCALLS,
} from "./syscall-names.ts";

/** Set in every x32 system call number, to tell it from an amd64 one. */
export const X32_BIT = 0x40000000;

/** The numbers from here to `X32_OWN_END` belong to x32; all others are handed out in order. */
export const X32_OWN_START = 512;
export const X32_OWN_END = 548;

/**
 * The system calls of an architecture, name to number. x32 numbers come without `X32_BIT`.
 *
 * Some 450 names: what takes the time is cutting the text, so keep the answer.
 */
export function syscallNumbers(arch: SeccompArch): ReadonlyMap<string, number> {
  switch (arch) {
    case "SCMP_ARCH_X86_64":
      return numbered(AMD64_SYSCALLS);
    case "SCMP_ARCH_X86":
      return numbered(I386_SYSCALLS);
    case "SCMP_ARCH_AARCH64":
      return numbered(ARM64_SYSCALLS);
    case "SCMP_ARCH_ARM":
      return numbered(ARM_SYSCALLS);
    case "SCMP_ARCH_X32":
      return x32Numbers();
  }
}

function x32Numbers(): ReadonlyMap<string, number> {
  const numbers = numbered(AMD64_SYSCALLS);
  for (const name of X32_ABSENT_SYSCALLS.trim().split(/\s+/)) numbers.delete(name);
  for (const [name, number] of numbered(X32_OWN_SYSCALLS)) numbers.set(name, number);
  return numbers;
}

function numbered(names: string): Map<string, number> {
  const numbers = new Map<string, number>();
  let next = 0;
  for (const word of names.trim().split(/\s+/)) {
    if (word.startsWith("@")) next = Number(word.slice(1));
    else numbers.set(word, next++);
  }
  return numbers;
}
