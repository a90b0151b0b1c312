import type { Spec } from "../../oci/runtime-spec.ts";
import { keepGate } from "./gate.ts";
import type { Steps } from "./steps.ts";
import { FIRST_CLOSED_FD, flags, type Register } from "./tape.ts";

/** The mount namespace's own copies must not pass mounts on to the host. */
export function separateMounts(steps: Steps, spec: Spec): void {
  const wanted = spec.linux.rootfsPropagation;
  const follows = (it: string) => /^r?(shared|slave)$/.test(it);
  const anyFollows = spec.mounts.some((mount) => mount.options.some(follows));
  const receive = anyFollows || wanted === "shared" || wanted === "slave";
  const kind = flags("MS_REC", receive ? "MS_SLAVE" : "MS_PRIVATE");
  steps.call(
    "mount",
    ["none", "/", 0, kind, 0],
    "separating the container's mounts from the host's",
  );
}

/** The old root ends on top of the new one at "/", from where it is unmounted. */
export function enterRoot(steps: Steps, root: Register, gate: Register | undefined): void {
  const why = "entering the container's root";
  steps.call("fchdir", [root], why);
  steps.call("pivot_root", [".", "."], why, {
    hint: "pivot_root does not work from an initramfs: boot from a real root file system",
  });
  steps.call("umount2", [".", flags("MNT_DETACH")], why);
  steps.call("chdir", ["/"], why);
  if (gate !== undefined) keepGate(steps, gate);
  const first = FIRST_CLOSED_FD + (gate === undefined ? 0 : 1);
  steps.call("close_range", [first, 0xffff_ffff, 0], "letting go of everything of the host");
}
