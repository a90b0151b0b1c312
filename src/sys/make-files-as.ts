import { readFileSync } from "node:fs";
import { invoke } from "./libc.ts";

const CAPABILITY_VERSION_3 = 0x2008_0522;

/**
 * Has this thread make files as another user, with all the rights that it has: a mount with
 * mapped owners takes no file from somebody it doesn't know. Disposing takes it back.
 *
 * @see setfsuid(2), capabilities(7) "Effect of user ID changes on capabilities"
 */
export function makeFilesAs({
  uid,
  gid,
}: {
  readonly uid: number;
  readonly gid: number;
}): Disposable {
  const before = { uid: invoke("setfsuid", [uid]), gid: invoke("setfsgid", [gid]) };
  raisePermitted();
  return {
    [Symbol.dispose]() {
      invoke("setfsgid", [before.gid]);
      invoke("setfsuid", [before.uid]);
    },
  };
}

/** The kernel takes those over files from whoever isn't root there. */
function raisePermitted(): void {
  const status = readFileSync("/proc/thread-self/status", "latin1");
  const set = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*(\\w+)`, "m").exec(status)?.[1]}`);
  const [permitted, inheritable] = [set("CapPrm"), set("CapInh")];
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION_3, 0);
  // struct __user_cap_data_struct, twice: effective, permitted, inheritable; low halves first.
  const sets = Buffer.alloc(24);
  for (const half of [0, 1])
    for (const [at, mask] of [permitted, permitted, inheritable].entries())
      sets.writeUInt32LE(Number((mask >> BigInt(32 * half)) & 0xffff_ffffn), half * 12 + at * 4);
  invoke("capset", [header, sets]);
}
