import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { canClone } from "../../src/sys/ficlone.ts";

/** Whether copies below `home`, which need not be there yet, share their data with the original. */
export function reflinks(home: string): boolean {
  let there = home;
  while (!existsSync(there)) there = dirname(there);
  return canClone(there);
}
