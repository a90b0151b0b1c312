import { existsSync, rmdirSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";

/** A cgroup goes once its last process is reaped, which may be a moment after its death. */
export function removeCgroup(group: string): void {
  for (let attempt = 0; attempt < 50 && existsSync(group); attempt++) {
    if (tolerating(["EBUSY", "ENOENT"], () => rmdirSync(group) ?? true) === true) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
  }
}
