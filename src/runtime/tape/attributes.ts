import type { ConstantName } from "./constants.ts";
import type { MountOptions } from "./mount-options.ts";
import type { Steps } from "./steps.ts";
import type { Register } from "./tape.ts";
import { bytes, flags, words } from "./tape.ts";

/** sizeof(struct mount_attr) */
const MOUNT_ATTR_SIZE = 32;

interface Change {
  readonly set: readonly ConstantName[];
  readonly clear?: readonly ConstantName[];
  readonly propagation?: ConstantName | undefined;
}

/** One mount_setattr(2) on the mount behind `mount`. */
export function changeAttributes(
  steps: Steps,
  mount: Register,
  change: Change,
  why: string,
  reach: "mount" | "tree",
): void {
  const { set, clear = [], propagation } = change;
  const parts = [
    ...(set.length === 0 ? [] : [`set=${set.join("|")}`]),
    ...(clear.length === 0 ? [] : [`clear=${clear.join("|")}`]),
    ...(propagation === undefined ? [] : [`propagation=${propagation}`]),
  ];
  if (parts.length === 0) return;
  const attributes = words(
    `{${parts.join(", ")}}`,
    flags(...set),
    flags(...clear),
    propagation === undefined ? 0 : flags(propagation),
    0,
  );
  const recursive: readonly ConstantName[] = reach === "tree" ? ["AT_RECURSIVE"] : [];
  const how = flags("AT_EMPTY_PATH", ...recursive);
  steps.call("mount_setattr", [mount, "", how, attributes, MOUNT_ATTR_SIZE], why);
}

/**
 * Gives a cloned mount its options. What restricts holds for its submounts too, what
 * loosens (`rw`, `exec`) for the mount alone: a read-only submount stays read-only.
 */
export function setAttributes(
  steps: Steps,
  mount: Register,
  options: MountOptions,
  why: string,
  reach: "mount" | "tree",
): void {
  const times: readonly ConstantName[] = options.clear.filter((it) => it === "MOUNT_ATTR__ATIME");
  const loosened = options.clear.filter((it) => it !== "MOUNT_ATTR__ATIME");
  changeAttributes(steps, mount, { set: options.set, clear: times }, why, reach);
  changeAttributes(steps, mount, { set: [], clear: loosened }, why, "mount");
  const spread = options.recursivePropagation ? "tree" : "mount";
  changeAttributes(steps, mount, { set: [], propagation: options.propagation }, why, spread);
}

/**
 * Shows the owners of a mount's files through a user namespace's maps. Not every file system
 * can: then it stays as it is, or the start fails.
 */
export function mapMount(
  steps: Steps,
  mount: Register,
  userNamespace: Register,
  why: string,
  need: "require" | "prefer",
): void {
  const memory = new Uint8Array(MOUNT_ATTR_SIZE);
  new DataView(memory.buffer).setBigUint64(0, MOUNT_ATTR_IDMAP, true);
  const attributes = bytes("{set=MOUNT_ATTR_IDMAP, userns_fd}", memory);
  steps.call("poke", [{ kind: "place", of: attributes, offset: 24 }, userNamespace], why);
  const how = flags("AT_EMPTY_PATH", "AT_RECURSIVE");
  steps.call("mount_setattr", [mount, "", how, attributes, MOUNT_ATTR_SIZE], why, {
    tolerate: need === "prefer" ? ["EINVAL", "EPERM"] : [],
    hint: "this file system can't map owners: use another driver, or --userns host",
  });
}

const MOUNT_ATTR_IDMAP = 0x100000n;
