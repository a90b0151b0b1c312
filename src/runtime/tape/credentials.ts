import type { Process, Seccomp } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { CAPABILITIES } from "../capabilities.ts";
import { isConstant } from "./constants.ts";
import type { Steps } from "./steps.ts";
import { bytes, flags, words } from "./tape.ts";

const CAPABILITY_VERSION_3 = 0x20080522;
/** sizeof(struct sock_filter) */
const SOCK_FILTER_SIZE = 8;

/** struct sock_filter[] and the profile that it was assembled of. */
export interface Filter {
  readonly program: Buffer;
  readonly spec: Seccomp | undefined;
}

/**
 * From root to what the container's process may do.
 *
 * Each step takes rights that an earlier one still needed: the bounding set while there is
 * CAP_SETPCAP, the user while there is CAP_SETUID, then the sets themselves. A seccomp
 * filter needs CAP_SYS_ADMIN, or no_new_privs: without the latter it must come before the
 * user changes, and so must allow what follows it here.
 */
export function dropPrivileges(
  steps: Steps,
  process: Process,
  {
    filter,
    diesWithLauncher,
    keepsGroups = false,
  }: {
    readonly filter: Filter | undefined;
    readonly diesWithLauncher: boolean;
    /** An ordinary user with one mapped group can't change those it is in. */
    readonly keepsGroups?: boolean;
  },
): void {
  if (process.noNewPrivileges === true) {
    const option = flags("PR_SET_NO_NEW_PRIVS");
    steps.call("prctl", [option, 1, 0, 0, 0], "setting no_new_privs");
  }
  dropBounding(steps, process);
  if (filter !== undefined && process.noNewPrivileges !== true) loadFilter(steps, filter);
  changeUser(steps, process, keepsGroups);
  setCapabilities(steps, process);
  // The kernel forgets both when the user changes.
  if (diesWithLauncher) dieWithLauncher(steps);
  hideLauncher(steps);
  if (filter !== undefined && process.noNewPrivileges === true) loadFilter(steps, filter);
}

/** Kills the container's first process when its parent dies, however that happens. */
export function dieWithLauncher(steps: Steps): void {
  const option = flags("PR_SET_PDEATHSIG");
  steps.call("prctl", [option, flags("SIGKILL"), 0, 0, 0], "asking to die with the launcher");
}

/** Nobody in the container may look into this process while it is the launcher still. */
export function hideLauncher(steps: Steps): void {
  const dumpable = flags("PR_SET_DUMPABLE");
  steps.call("prctl", [dumpable, 0, 0, 0, 0], "hiding the launcher's memory and program file");
}

function dropBounding(steps: Steps, process: Process): void {
  if (process.capabilities === undefined) return;
  const kept = new Set(process.capabilities.bounding);
  CAPABILITIES.forEach((name, bit) => {
    if (kept.has(name)) return;
    const args = [flags("PR_CAPBSET_DROP"), bit, 0, 0, 0];
    // A kernel older than the capability answers EINVAL.
    steps.call("prctl", args, `dropping ${name}`, { tolerate: ["EINVAL"] });
  });
}

function changeUser(steps: Steps, process: Process, keepsGroups: boolean): void {
  const { uid, gid, additionalGids = [] } = process.user;
  if (uid !== 0) {
    const option = flags("PR_SET_KEEPCAPS");
    steps.call("prctl", [option, 1, 0, 0, 0], "keeping capabilities over the change of user");
  }
  const groups = new Uint8Array(Uint32Array.from(additionalGids).buffer);
  const list = bytes(`[${additionalGids.join(", ")}]`, groups);
  steps.call("setgroups", [additionalGids.length, list], "setting the additional groups", {
    tolerate: keepsGroups ? ["EPERM", "EINVAL"] : [],
  });
  steps.call("setresgid", [gid, gid, gid], `becoming group ${gid}`);
  steps.call("setresuid", [uid, uid, uid], `becoming user ${uid}`);
}

function setCapabilities(steps: Steps, process: Process): void {
  const sets = process.capabilities;
  if (sets === undefined) return;
  const masks = [sets.effective, sets.permitted, sets.inheritable].map(capabilityMask);
  const halves = [0n, 32n].flatMap((shift) =>
    masks.map((mask) => Number((mask >> shift) & 0xffff_ffffn)),
  );
  const header = bytes(
    "{version=3, pid=0}",
    new Uint8Array(Uint32Array.of(CAPABILITY_VERSION_3, 0).buffer),
  );
  const [effective, permitted, inheritable] = masks.map((mask) => `0x${mask.toString(16)}`);
  const text = `{effective=${effective}, permitted=${permitted}, inheritable=${inheritable}}`;
  const data = bytes(text, new Uint8Array(Uint32Array.from(halves).buffer));
  steps.call("capset", [header, data], "setting the capabilities");
  // The kernel raises none that isn't in both: some tools list them nevertheless.
  const raisable = sets.ambient.filter(
    (name) => sets.inheritable.includes(name) && sets.permitted.includes(name),
  );
  for (const name of raisable) {
    const bit = CAPABILITIES.indexOf(name);
    const args = [flags("PR_CAP_AMBIENT"), flags("PR_CAP_AMBIENT_RAISE"), bit, 0, 0];
    steps.call("prctl", args, `raising ambient ${name}`);
  }
}

function capabilityMask(names: readonly string[]): bigint {
  let mask = 0n;
  for (const name of names) {
    const bit = CAPABILITIES.indexOf(name);
    if (bit < 0) throw new TsimgError("ERR_LAUNCH", `unknown capability "${name}" in the spec`);
    mask |= 1n << BigInt(bit);
  }
  return mask;
}

/** With no_new_privs set, or CAP_SYS_ADMIN. */
export function loadFilter(steps: Steps, filter: Filter): void {
  const count = filter.program.length / SOCK_FILTER_SIZE;
  if (!Number.isInteger(count) || count < 1 || count > 4096) {
    throw new TsimgError("ERR_LAUNCH", `a seccomp filter of ${count} instructions: 1 to 4096 fit`);
  }
  const program = bytes(`[${count} instructions]`, filter.program);
  const fprog = words(`{${count} instructions}`, count, program);
  const names = (filter.spec?.flags ?? []).filter(isConstant);
  const args = [flags("SECCOMP_SET_MODE_FILTER"), flags(...names), fprog];
  steps.call("seccomp", args, "loading the seccomp filter");
}
