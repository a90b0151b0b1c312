import type { Process, Seccomp, SeccompArg } from "../../oci/runtime-spec.ts";
import { dieWithLauncher, dropPrivileges, type Filter, loadFilter } from "./credentials.ts";
import type { Steps } from "./steps.ts";

/*
 * Who is in a PID namespace sees a process from the moment that it is cloned into it, and
 * with CAP_SYS_PTRACE may look into it. So a process that joins one does all that it has to do
 * outside, and is copied into the namespace at the end: see src/launcher/handover.h.
 */

/** CLONE_PARENT | CLONE_PARENT_SETTID, with which the launcher makes the copy. */
const HANDOVER_FLAGS = 0x0010_8000n;

/**
 * Gives up rights, then goes on in the PID namespace that was joined.
 *
 * A seccomp filter is loaded before that, so that whoever takes control of the copy has gained
 * nothing; but where the filter itself forbids the copy, only behind it, as other runtimes do
 * always.
 */
export function dropAndHandOver(
  steps: Steps,
  process: Process,
  options: {
    readonly filter: Filter | undefined;
    readonly diesWithLauncher: boolean;
    readonly keepsGroups?: boolean;
  },
): void {
  const { filter } = options;
  const early = filter === undefined || allowsHandover(filter.spec);
  // Without no_new_privs a filter needs rights that are given up later.
  const all = early || process.noNewPrivileges !== true;
  if (early) dropPrivileges(steps, process, options);
  else if (!all) dropPrivileges(steps, process, { ...options, filter: undefined });
  steps.call("handover", [], "entering the container's PID namespace", {
    hint: "the container may have ended, or be at its limit of processes",
  });
  if (!early && all) return dropPrivileges(steps, process, options);
  // A copy has to ask for it by itself.
  if (options.diesWithLauncher) dieWithLauncher(steps);
  if (!early) loadFilter(steps, filter);
}

/** Whether a process under this filter can make the copy, and what the copy does first. */
export function allowsHandover(profile: Seccomp | undefined): boolean {
  return allows(profile, "clone", HANDOVER_FLAGS) && allows(profile, "prctl", undefined);
}

/** @param first argument; undefined: as if no condition held */
function allows(profile: Seccomp | undefined, name: string, first: bigint | undefined): boolean {
  if (profile === undefined) return true;
  const rules = profile.syscalls.filter(({ names }) => names.includes(name));
  const isFor = (args: readonly SeccompArg[]) =>
    first === undefined ? false : args.every((arg) => holds(arg, first));
  const rule =
    rules.find(({ args = [] }) => args.length > 0 && isFor(args)) ??
    rules.find(({ args = [] }) => args.length === 0);
  const action = rule?.action ?? profile.defaultAction;
  return action === "SCMP_ACT_ALLOW" || action === "SCMP_ACT_LOG";
}

function holds({ index, value, valueTwo = 0, op }: SeccompArg, first: bigint): boolean {
  const actual = index === 0 ? first : 0n;
  const wanted = BigInt(value);
  switch (op) {
    case "SCMP_CMP_EQ":
      return actual === wanted;
    case "SCMP_CMP_NE":
      return actual !== wanted;
    case "SCMP_CMP_LT":
      return actual < wanted;
    case "SCMP_CMP_LE":
      return actual <= wanted;
    case "SCMP_CMP_GE":
      return actual >= wanted;
    case "SCMP_CMP_GT":
      return actual > wanted;
    case "SCMP_CMP_MASKED_EQ":
      return (actual & wanted) === BigInt(valueTwo);
  }
}
