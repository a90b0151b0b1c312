import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { blockDeviceNumber } from "../../src/sys/block-device.ts";

/**
 * Where a device is mounted, as `12 (sh) at /mnt`: one process of each mount namespace that
 * has it.
 */
export function holdersOf(path: string): readonly string[] {
  const number = blockDeviceNumber(path);
  if (number === undefined) return [];
  const holders = new Map<string, string>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    const namespace = orNothing(() => readlinkSync(`/proc/${pid}/ns/mnt`));
    const place = holders.has(namespace) ? undefined : mountPoint(pid, number);
    if (place !== undefined)
      holders.set(namespace, `${pid} (${read(pid, "comm").trim()}) at ${place}`);
  }
  return [...holders.values()];
}

/** @see proc(5), mountinfo: id, parent, major:minor, root, mount point, … */
function mountPoint(pid: string, number: string): string | undefined {
  const line = read(pid, "mountinfo")
    .split("\n")
    .find((text) => text.split(" ")[2] === number);
  return line?.split(" ")[4];
}

function read(pid: string, file: string): string {
  return orNothing(() => readFileSync(`/proc/${pid}/${file}`, "utf8"));
}

/** A process may have ended meanwhile. */
function orNothing(look: () => string): string {
  try {
    return look();
  } catch {
    return "";
  }
}
