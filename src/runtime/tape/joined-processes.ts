import type { Mount, Spec } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { isNew, joinedPath } from "./namespaces.ts";
import type { Steps } from "./steps.ts";
import { flags, type Register } from "./tape.ts";

/*
 * A PID namespace that others are in already. They see what is cloned into it from its first
 * moment, so the container is made by a process outside, which hands over to a copy at the end:
 * src/launcher/handover.h.
 */

const WHY = "joining the container's processes";

/** What the launcher opens while it has all rights. */
export interface JoinedProcesses {
  readonly namespace: Register;
  /** Contexts of the spec's mounts of proc. */
  readonly procs: ReadonlyMap<Mount, Register>;
}

/**
 * In the launcher, before the clone.
 *
 * @throws TsimgError ERR_LAUNCH for a new user namespace, from where there is no right to join
 */
export function openProcesses(steps: Steps, { linux, mounts }: Spec): JoinedProcesses | undefined {
  const path = joinedPath(linux.namespaces, "pid");
  if (path === undefined) return undefined;
  if (isNew(linux.namespaces, "user"))
    throw new TsimgError("ERR_LAUNCH", "a new user namespace can't join others' processes", {
      hint: "join their user namespace, too, as with --userns container:ID",
    });
  const why = `opening the pid namespace "${path}"`;
  const namespace = steps.keep("openat", [flags("AT_FDCWD"), path, flags("O_CLOEXEC")], why);
  const procs = mounts.filter(({ type }) => type === "proc");
  const made = procs.map((mount) => {
    const into = steps.register();
    const about = `beginning to mount proc on "${mount.destination}"`;
    steps.call("procfs", [namespace], about, { into });
    return [mount, into] as const;
  });
  return { namespace, procs: new Map(made) };
}

/** In the launcher, beside the child: it would keep the namespace after its end. */
export function closeProcesses(steps: Steps, { namespace, procs }: JoinedProcesses): void {
  for (const descriptor of [namespace, ...procs.values()]) steps.call("close", [descriptor], WHY);
}

/** In the child: what it clones from here on is in the namespace, itself is not. */
export function joinProcesses(steps: Steps, { namespace }: JoinedProcesses): void {
  steps.call("setns", [namespace, flags("CLONE_NEWPID")], WHY);
}
