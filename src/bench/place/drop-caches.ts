import { writeFileSync } from "node:fs";

/**
 * Drops the page cache, dentries and inodes of the whole machine, as far as they are clean.
 * What a FUSE daemon keeps in its own memory stays.
 * @see Documentation/admin-guide/sysctl/vm.rst, drop_caches
 */
export function dropCaches(): void {
  writeFileSync("/proc/sys/vm/drop_caches", "3");
}
