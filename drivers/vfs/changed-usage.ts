import { type BigIntStats, lstatSync, readdirSync } from "node:fs";
import { tolerating } from "../../src/sys/errno.ts";
import type { Usage } from "../driver.ts";
import { childPath, reach } from "./reach.ts";

const BLOCK = 512;
/** What a copy has in common with its original until it is changed. */
const KEPT = ["mode", "uid", "gid", "size", "rdev", "mtimeNs"] as const;

interface Pair {
  readonly copy: Buffer;
  /** Absent below what only the copy has. */
  readonly original: Buffer | undefined;
}

/**
 * Bytes and inodes of what `copy` has that `original` has not, or not so: files count whole,
 * hard links once. A change of nothing but extended attributes isn't seen.
 * @param original absent where everything counts
 */
export function changedUsage(copy: string, original: string | undefined): Usage {
  const counted = new Set<bigint>();
  let bytes = 0;
  let inodes = 0;
  const count = (stat: BigIntStats, other: BigIntStats | undefined): void => {
    if (other !== undefined && KEPT.every((key) => stat[key] === other[key])) return;
    if (stat.nlink > 1n && !stat.isDirectory()) {
      if (counted.has(stat.ino)) return;
      counted.add(stat.ino);
    }
    bytes += Number(stat.blocks) * BLOCK;
    inodes += 1;
  };
  const top = Buffer.from(copy);
  const below = original === undefined ? undefined : Buffer.from(original);
  count(statOf(top), below === undefined ? undefined : statIfThere(below));
  const pending: Pair[] = [{ copy: top, original: below }];
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    using here = reach(pair.copy);
    using there = pair.original === undefined ? undefined : reach(pair.original);
    for (const name of readdirSync(here.path, { encoding: "buffer" })) {
      const stat = statOf(childPath(here.path, name));
      const other = there === undefined ? undefined : statIfThere(childPath(there.path, name));
      count(stat, other);
      if (!stat.isDirectory()) continue;
      const original = other?.isDirectory() ? pair.original : undefined;
      pending.push({
        copy: childPath(pair.copy, name),
        original: original === undefined ? undefined : childPath(original, name),
      });
    }
  }
  return { bytes, inodes };
}

function statOf(path: Buffer): BigIntStats {
  return lstatSync(path, { bigint: true });
}

function statIfThere(path: Buffer): BigIntStats | undefined {
  return tolerating(["ENOENT", "ENOTDIR"], () => statOf(path));
}
