import type { ConstantName } from "./constants.ts";
import { mountFileSystem } from "./rootfs.ts";
import type { Steps } from "./steps.ts";
import { flags, type Register } from "./tape.ts";
import { OPEN_HOW_SIZE, openHow } from "./target.ts";

/** The thread's own, since labels belong to threads. */
const ATTRIBUTE = "thread-self/attr/apparmor/exec";

/** Nothing but the text links self and thread-self, and nothing mounted over any of it. */
const INSIDE: readonly ConstantName[] = [
  "RESOLVE_BENEATH",
  "RESOLVE_NO_XDEV",
  "RESOLVE_NO_MAGICLINKS",
];

/**
 * Asks the kernel to put the program of the next execve under an AppArmor profile, which must
 * be loaded. What happens between now and then goes on as before: the wish belongs to the
 * task, and outlives changes of root, user and capabilities.
 *
 * It is written through a procfs made for this alone and attached nowhere. Neither the
 * container's /proc, which a volume may stand in for or lie over, nor the host's, which is out
 * of reach after pivot_root, is trusted with it: a label written to some other file would leave
 * the program unconfined without a sign of it.
 *
 * Needs CAP_SYS_ADMIN, so it comes before privileges are dropped; in a user namespace also
 * before paths below /proc are masked, since the kernel then refuses to mount a procfs that
 * would show them.
 *
 * @param through `host`: for a process that is in the host's PID namespace, and so in none of
 *                the container's procfs; before the host's /proc is out of reach
 */
export function setAppArmor(steps: Steps, name: string, through: "own" | "host" = "own"): void {
  const why = `choosing the AppArmor profile "${name}"`;
  const wish = `exec ${name}`;
  steps.scope(() => {
    const proc = through === "own" ? ownProc(steps, why) : hostProc(steps, why);
    const how = openHow(["O_WRONLY", "O_CLOEXEC"], INSIDE);
    const file = steps.keep("openat2", [proc, ATTRIBUTE, how, OPEN_HOW_SIZE], why, {
      hint: "this kernel has no AppArmor: use --security-opt apparmor=unconfined",
    });
    steps.call("write", [file, wish, Buffer.byteLength(wish)], why, {
      hint: "load it first, with apparmor_parser -r FILE: aa-status lists those that are loaded",
    });
    steps.call("close", [file], why);
    steps.call("close", [proc], why);
  });
}

function ownProc(steps: Steps, why: string): Register {
  const attributes = ["MOUNT_ATTR_NOSUID", "MOUNT_ATTR_NODEV", "MOUNT_ATTR_NOEXEC"] as const;
  const proc = steps.register();
  mountFileSystem(steps, "proc", "proc", [], { attributes, why, into: proc });
  return proc;
}

function hostProc(steps: Steps, why: string): Register {
  const how = flags("O_PATH", "O_DIRECTORY", "O_CLOEXEC");
  return steps.keep("openat", [flags("AT_FDCWD"), "/proc", how], why);
}
