import { readdirSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import type { Device } from "../oci/runtime-spec.ts";

/** /dev may hold directories, but no deep ones. */
const MAX_DEPTH = 4;

/** What belongs to one /dev alone: terminals, memory, queues, links to descriptors. */
const OWN_OF_EACH_DEV: readonly string[] = ["pts", "shm", "fd", "mqueue", ".lxc", ".udev"];

/** The device at a path of this machine, or each one below a directory; links are followed. */
export function hostDevices(path: string): readonly Device[] {
  const node = statSync(path, { throwIfNoEntry: false });
  if (node === undefined) return [];
  return node.isDirectory() ? [...below(path, MAX_DEPTH)] : deviceOf(path, node);
}

function* below(directory: string, depth: number): Iterable<Device> {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && depth > 1 && !OWN_OF_EACH_DEV.includes(entry.name)) {
      yield* below(path, depth - 1);
    } else if ((entry.isCharacterDevice() || entry.isBlockDevice()) && entry.name !== "console") {
      const node = statSync(path, { throwIfNoEntry: false });
      if (node !== undefined) yield* deviceOf(path, node);
    }
  }
}

function deviceOf(path: string, node: Stats): readonly Device[] {
  if (!node.isCharacterDevice() && !node.isBlockDevice()) return [];
  const { rdev, mode, uid, gid } = node;
  return [
    {
      path,
      type: node.isBlockDevice() ? "b" : "c",
      // As the C library packs them into a dev_t, up to 32 bits of it.
      major: (rdev >>> 8) & 0xfff,
      minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00),
      fileMode: mode & 0o7777,
      uid,
      gid,
    },
  ];
}
