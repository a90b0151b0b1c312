import { newHash } from "../sys/hash.ts";
import { cString, invoke } from "../sys/libc.ts";

const CLONE_NEWNS = 0x0002_0000;
const CLONE_NEWNET = 0x4000_0000;
const MS_REC = 0x4000;
const MS_PRIVATE = 1 << 18;
const PR_SET_PDEATHSIG = 1;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;
const CAPABILITY_VERSION_3 = 0x2008_0522;

/**
 * What unpacking needs: giving files to any owner (CHOWN, FOWNER, FSETID), writing whatever
 * their mode (DAC_OVERRIDE), and file capabilities (SETFCAP). Not MKNOD, which would open
 * the host's disks, and not SYS_ADMIN: device nodes and `trusted.*` are left to the parent.
 */
const KEPT: readonly number[] = [0, 1, 3, 4, 31];
const LAST_CAPABILITY = 63;

/**
 * First half, before the work is known: dies with its parent, no network, own mounts.
 * @see prctl(2), unshare(2)
 */
export function leaveHost(parent: number): void {
  invoke("prctl", [PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0]);
  // The parent may have died before the line above.
  if (process.ppid !== parent) process.exit(1);
  invoke("unshare", [CLONE_NEWNS | CLONE_NEWNET]);
  invoke("mount", [cString("none"), cString("/"), 0, MS_REC | MS_PRIVATE, 0], { path: "/" });
  invoke("prctl", [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0]);
  // OpenSSL looks for its configuration on first use, which must be before chroot.
  newHash("sha256").update("").digest();
  process.umask(0);
}

/** Second half: the layer's directory becomes all there is, and most capabilities go. */
export function enterLayer(directory: string): void {
  process.chdir(directory);
  invoke("chroot", [cString(".")], { path: directory });
  for (let capability = 0; capability <= LAST_CAPABILITY; capability++)
    if (!KEPT.includes(capability)) dropFromBounding(capability);
  const kept = KEPT.reduce((mask, capability) => mask | (1n << BigInt(capability)), 0n);
  const header = Buffer.alloc(8);
  header.writeUInt32LE(CAPABILITY_VERSION_3, 0);
  const sets = Buffer.alloc(24);
  for (const word of [0, 1]) {
    const half = Number((kept >> BigInt(32 * word)) & 0xffff_ffffn);
    sets.writeUInt32LE(half, word * 12);
    sets.writeUInt32LE(half, word * 12 + 4);
  }
  invoke("capset", [header, sets]);
}

function dropFromBounding(capability: number): void {
  try {
    invoke("prctl", [PR_CAPBSET_DROP, capability, 0, 0, 0]);
  } catch {
    // The kernel has fewer capabilities than there are bits.
  }
}
