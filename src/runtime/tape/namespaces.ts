import type { Linux, Namespace, NamespaceType, TimeOffset } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { writeFile } from "./cgroup.ts";
import type { ConstantName } from "./constants.ts";
import type { Steps } from "./steps.ts";
import { flags } from "./tape.ts";

const CLONE_FLAGS: Readonly<Record<NamespaceType, ConstantName>> = {
  user: "CLONE_NEWUSER",
  pid: "CLONE_NEWPID",
  time: "CLONE_NEWTIME",
  mount: "CLONE_NEWNS",
  uts: "CLONE_NEWUTS",
  ipc: "CLONE_NEWIPC",
  network: "CLONE_NEWNET",
  cgroup: "CLONE_NEWCGROUP",
};

/**
 * The namespaces that clone(2) makes. Not the cgroup namespace, which begins where its maker
 * is and so is made after joining, and not the time namespace, whose clocks are set before
 * anybody is in it.
 */
export function cloneFlags(namespaces: readonly Namespace[]): readonly ConstantName[] {
  if (!isNew(namespaces, "mount")) {
    throw new TsimgError("ERR_LAUNCH", "a container needs a mount namespace of its own");
  }
  return namespaces.flatMap(({ type, path }) => {
    const flag = flagOf(type);
    return path !== undefined || type === "cgroup" || type === "time" ? [] : [flag];
  });
}

/**
 * Joins what the launcher itself must join. With a user namespace to join that is everything:
 * what is cloned from there on belongs to it. With a new one, too: from inside there is no
 * right to what is older. And the time namespace: it is its maker's children that are in it.
 *
 * Not the PID namespace, into which the launcher's later children would come, too: see
 * joined-processes.ts.
 */
export function enterBeforeClone(steps: Steps, linux: Linux): void {
  const { namespaces } = linux;
  const all = namespaces.some(({ type }) => type === "user");
  const joined = namespaces.filter(({ type, path }) => {
    return path !== undefined && type !== "pid" && (all || type === "time");
  });
  const userFirst = joined.toSorted(
    (a, b) => Number(b.type === "user") - Number(a.type === "user"),
  );
  if (isNew(namespaces, "time")) makeTimeNamespace(steps, linux.timeOffsets ?? {});
  for (const namespace of userFirst) join(steps, namespace);
}

/** In the child: the rest of what is joined, and the cgroup namespace. */
export function enterNamespaces(steps: Steps, namespaces: readonly Namespace[]): void {
  const done = namespaces.some(({ type }) => type === "user");
  for (const namespace of namespaces) {
    if (!done && !["pid", "time"].includes(namespace.type)) join(steps, namespace);
  }
  if (isNew(namespaces, "cgroup")) {
    steps.call("unshare", [flags("CLONE_NEWCGROUP")], "making a cgroup namespace");
  }
}

export function isNew(namespaces: readonly Namespace[], type: NamespaceType): boolean {
  return namespaces.some((it) => it.type === type && it.path === undefined);
}

/** The file of a namespace that is to be joined. */
export function joinedPath(
  namespaces: readonly Namespace[],
  type: NamespaceType,
): string | undefined {
  return namespaces.find((it) => it.type === type)?.path;
}

/** The user namespace that the container is in, when it isn't the host's. */
export function userNamespaceOf(namespaces: readonly Namespace[]): Namespace | undefined {
  return namespaces.find(({ type }) => type === "user");
}

function join(steps: Steps, { type, path }: Namespace): void {
  if (path === undefined) return;
  const why = `joining the ${type} namespace "${path}"`;
  steps.scope(() => {
    const file = steps.keep("openat", [flags("AT_FDCWD"), path, flags("O_CLOEXEC")], why);
    steps.call("setns", [file, flags(flagOf(type))], why);
    steps.call("close", [file], why);
  });
}

/** @see time_namespaces(7): offsets can be set until the first process is in. */
function makeTimeNamespace(
  steps: Steps,
  offsets: Readonly<Record<string, TimeOffset | undefined>>,
): void {
  steps.call("unshare", [flags("CLONE_NEWTIME")], "making a time namespace");
  for (const [clock, offset] of Object.entries(offsets)) {
    const { secs = 0, nanosecs = 0 } = offset ?? {};
    const text = `${clock} ${secs} ${nanosecs}`;
    steps.scope(() =>
      writeFile(steps, "/proc/self/timens_offsets", text, `moving the clock "${clock}"`),
    );
  }
}

function flagOf(type: NamespaceType): ConstantName {
  if (Object.hasOwn(CLONE_FLAGS, type)) return CLONE_FLAGS[type];
  throw new TsimgError("ERR_LAUNCH", `namespaces of type "${type}" are not supported`);
}
