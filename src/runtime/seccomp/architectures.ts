import type { SeccompArch } from "../../oci/runtime-spec.ts";

/** A machine that tsimg runs on, as image configurations spell it. */
export type MachineArch = "amd64" | "arm64";

/** What a filter sees of a process's architecture: one number may stand for two of them. */
export interface AuditArch {
  /** `AUDIT_ARCH_…` of linux/audit.h, in `seccomp_data.arch`. */
  readonly audit: number;
  readonly wordBits: 32 | 64;
}

export const AUDIT_ARCHES: Readonly<Record<SeccompArch, AuditArch>> = {
  SCMP_ARCH_X86_64: { audit: 0xc000003e, wordBits: 64 },
  // x32 programs run with the 64-bit kernel entry and are told apart by a bit of the number.
  SCMP_ARCH_X32: { audit: 0xc000003e, wordBits: 64 },
  SCMP_ARCH_X86: { audit: 0x40000003, wordBits: 32 },
  SCMP_ARCH_AARCH64: { audit: 0xc00000b7, wordBits: 64 },
  SCMP_ARCH_ARM: { audit: 0x40000028, wordBits: 32 },
};

/** The machine's own architecture first, then those whose programs it also runs. */
export const MACHINE_ARCHES: Readonly<
  Record<MachineArch, readonly [SeccompArch, ...SeccompArch[]]>
> = {
  amd64: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"],
  arm64: ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"],
};
