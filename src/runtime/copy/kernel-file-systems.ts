import { statfsSync } from "node:fs";
import { pathOfOpen } from "../../sys/open-file.ts";

/**
 * File systems whose files the kernel makes up as they are read: copying them would never end,
 * or change the machine. By the numbers of linux/magic.h.
 */
const MAGIC_NUMBERS: ReadonlySet<number> = new Set([
  0x9fa0, // proc
  0x62656572, // sysfs
  0x27e0eb, // cgroup
  0x63677270, // cgroup2
  0x1cd1, // devpts
  0x19800202, // mqueue
  0x64626720, // debugfs
  0x74726163, // tracefs
  0x73636673, // securityfs
  0xcafe4a11, // bpf
  0xde5e81e4, // efivarfs
  0x6165676c, // pstore
  0x62656570, // configfs
  0x42494e4d, // binfmt_misc
  0xf97cff8c, // selinuxfs
]);

/** Whether a file, open or held, is in such a file system. */
export function isMadeByKernel(fd: number): boolean {
  return MAGIC_NUMBERS.has(statfsSync(pathOfOpen(fd)).type);
}
