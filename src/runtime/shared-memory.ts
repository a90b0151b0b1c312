import type { Mount } from "../oci/runtime-spec.ts";
import { parseSize } from "./sizes.ts";

/** Bytes; docker's. */
const DEFAULT_SIZE = 64 * 1024 * 1024;

/** Bytes of `--shm-size`; without it, and for 0, as many as docker gives. @throws ERR_USAGE */
export function parseShmSize(text: string | undefined): number {
  const size = text === undefined ? 0 : parseSize(text, "--shm-size");
  return size === 0 ? DEFAULT_SIZE : size;
}

/** The mounts with /dev/shm of that size: its tmpfs among them has another size, or none. */
export function withShmSize(mounts: readonly Mount[], size: number): readonly Mount[] {
  return mounts.map((mount) => {
    if (mount.destination !== "/dev/shm" || mount.type !== "tmpfs") return mount;
    const others = mount.options.filter((option) => !option.startsWith("size="));
    return { ...mount, options: [...others, `size=${size}`] };
  });
}
