import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Usage } from "./driver.ts";

/** Bytes and inodes allocated below `directory`, itself included, hard links counted once. */
export function diskUsage(directory: string): Usage {
  const linked = new Set<number>();
  let bytes = 0;
  let inodes = 0;
  const count = (path: string | Buffer): boolean => {
    const stat = lstatSync(path);
    if (stat.nlink > 1 && !stat.isDirectory()) {
      if (linked.has(stat.ino)) return false;
      linked.add(stat.ino);
    }
    bytes += stat.blocks * 512;
    inodes += 1;
    return stat.isDirectory();
  };
  const walk = (path: Buffer): void => {
    for (const name of readdirSync(path, { encoding: "buffer" })) {
      const child = Buffer.concat([path, SLASH, name]);
      if (count(child)) walk(child);
    }
  };
  const top = Buffer.from(join(directory));
  if (count(top)) walk(top);
  return { bytes, inodes };
}

const SLASH = Buffer.from("/");
