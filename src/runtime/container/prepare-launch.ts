import { mkdirSync, writeFileSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import type { SnapshotId } from "../../../drivers/driver.ts";
import type { Resources } from "../../oci/linux-resources.ts";
import type { Spec } from "../../oci/runtime-spec.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import { programPath, requirePrograms } from "../../sys/run-program.ts";
import { inUserNamespace } from "../../sys/user-namespace.ts";
import { loadDefaultProfile, mustLoadDefault, readAppArmor } from "../apparmor.ts";

import { makeRoom } from "../cgroup/make-room.ts";
import { type CgroupPlan, planCgroup } from "../cgroup/plan.ts";
import { readCgroupFacts } from "../host-facts.ts";
import { machineArch } from "../machine-arch.ts";

import { prepareNetwork } from "../network/prepare-network.ts";
import type { MachineArch } from "../seccomp/architectures.ts";
import { type Joins, joinOthers } from "../spec/modes.ts";
import type { LaunchIo } from "../tape/request.ts";
import type { ContainerOptions } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import type { CreateContext, CreatedContainer } from "./create-container.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { firstProcess } from "./first-process.ts";
import { foreignCall } from "./foreign-runtime.ts";
import { type HealthLaunch, healthCheck, healthLaunch } from "./health-launch.ts";
import { keepExit, restartMark } from "./launch-records.ts";
import { logLimit, USUAL_LOG } from "./log-options.ts";
import type { Launch } from "./tape-image.ts";

/** All that a launcher needs for one start of a container. */
export interface PreparedLaunch {
  readonly id: string;
  readonly request: Launch;
  /** What occurs in the request and is this container's alone. */
  readonly names: readonly string[];
  readonly arch: MachineArch;
  /** The process of its health check. */
  readonly health?: HealthLaunch;
}

export interface StartOptions {
  /** `attached`: the launcher stays in front and has the caller's streams. */
  readonly mode: "attached" | "detached";
  /** Whether the caller's standard input is the container's. */
  readonly interactive: boolean;
  readonly autoRemove: boolean;
  /** Of the container's output what the caller doesn't want. */
  readonly leave?: readonly ("stdout" | "stderr")[];
  /** The caller's signals are not for the container. */
  readonly keepSignals?: boolean;
}

/**
 * Makes what a start of a container needs and a reboot may have taken: its state directory
 * with the bundle, the files generated for it, its mounts.
 */
export function prepareLaunch(
  context: CreateContext,
  { id, snapshot, spec: made, options }: CreatedContainer,
  start: StartOptions,
): PreparedLaunch {
  const { snapshots, containers } = context;
  const spec = withJoined(containers, made, options.joins);
  const state = containers.stateDirectory(id);
  mkdirSync(join(state, "rootfs"), { recursive: true, mode: 0o700 });
  writeFileSync(join(state, "config.json"), JSON.stringify(spec));
  if (start.autoRemove) keepExit(state);
  loadAppArmor(spec);
  const { resources = {}, cgroupsPath: path = `/tsimg/${id}` } = spec.linux;
  const choosesCpus = (resources.cpu?.cpus ?? resources.cpu?.mems) !== undefined;
  const cgroup = planCgroup({
    ...readCgroupFacts(path, choosesCpus),
    path,
    resources: permittedResources(resources),
  });
  makeRoom(cgroup);
  keepGroups(context, id, options, cgroup);
  const files = snapshots.files(snapshot);
  const rootMounts = snapshots.mounts(snapshot, "rw");
  const init = options.init ? context.initProgram : undefined;
  return {
    id,
    request: {
      spec: unannotated(spec),
      rootMounts,
      ...(options.maps === null ? {} : { imageMaps: options.maps }),
      cgroup: options.runtime === null ? cgroup : foreignGroups(cgroup),
      stateDirectory: state,
      io: ioOf(options, start, state, id),
      ...(inUserNamespace() ? { unprivileged: true } : {}),
      ...networkLaunch(context, id, spec, options),
      ...sharedMemory(containers, options.joins),
      ...healthCheck(state, options),
      ...clearingUp(context, id, files, options, start),
      init: options.init,
      ...(options.runtime === null
        ? {}
        : { foreign: foreignCall(options.runtime, state, id, spec, init) }),
      ...(options.pidFile === null ? {} : { pidFile: options.pidFile }),
    },
    names: [...ownNames(id, snapshot, files, rootMounts), ...volumeNames(options)],
    arch: machineArch(),
    ...healthLaunch(state, spec, cgroup.procsFiles, options),
  };
}

/** Annotations are nothing to the launcher, and would have each container make a tape anew. */
function unannotated({ annotations: _, ...spec }: Spec): Spec {
  return spec;
}

/** An ordinary user's groups are elsewhere when another shell starts the container again. */
function keepGroups(
  { containers }: CreateContext,
  id: string,
  options: ContainerOptions,
  { removals: cgroups }: CgroupPlan,
): void {
  if (cgroups.join() !== options.cgroups.join()) containers.setOptions(id, { ...options, cgroups });
}

/** Programs that guard devices are root's to attach; an ordinary user can make no device. */
function permittedResources({ devices, ...others }: Resources): Resources {
  return inUserNamespace() || devices === undefined ? others : { ...others, devices };
}

/** The runtime makes them itself; where it fails to remove them, the launcher does. */
function foreignGroups({ removals }: CgroupPlan): CgroupPlan {
  return { directories: [], writes: [], procsFiles: [], removals };
}

/** The default profile is loaded once a boot. */
function loadAppArmor({ process }: Spec): void {
  if (process.apparmorProfile === undefined) return;
  if (mustLoadDefault(process.apparmorProfile, readAppArmor())) loadDefaultProfile();
}

function sharedMemory(containers: ContainerStore, { ipc }: Joins): Pick<Launch, "sharedMemoryOf"> {
  return ipc === undefined
    ? {}
    : { sharedMemoryOf: firstProcess(containers, containers.existing(ipc)) };
}

/** What its network needs; what couldn't be done is told. */
function networkLaunch(
  context: CreateContext,
  id: string,
  { hostname = "" }: Spec,
  { network, exposed }: ContainerOptions,
): Pick<Launch, "network"> {
  const own = { id, hostname: hostname === "" ? id.slice(0, 12) : hostname, exposed };
  const { warnings, ...prepared } = prepareNetwork(context.networks, own, network);
  for (const warning of warnings) writeSync(2, `tsimg: warning: ${warning}\n`);
  if (prepared.user !== undefined) return { network: { ...prepared, ip: "", nft: "" } };
  if (prepared.ipBatch === undefined) return {};
  const programs = { ip: neededProgram("ip"), nft: neededProgram("nft") };
  return { network: { ...prepared, ...programs } };
}

function neededProgram(name: string): string {
  requirePrograms([name]);
  return programPath(name) ?? name;
}

/** The namespaces of other containers by the paths that they have now. */
function withJoined(containers: ContainerStore, spec: Spec, joins: Joins): Spec {
  if (Object.keys(joins).length === 0) return spec;
  const pidOf = (id: string) => firstProcess(containers, containers.existing(id));
  const namespaces = joinOthers(spec.linux.namespaces, joins, pidOf);
  return { ...spec, linux: { ...spec.linux, namespaces } };
}

function ioOf(
  options: ContainerOptions,
  { mode, interactive, leave = [], keepSignals = false }: StartOptions,
  state: string,
  id: string,
): LaunchIo {
  const { tty, logFile } = options;
  const limit = logLimit(options.log ?? USUAL_LOG);
  const log =
    logFile === null ? {} : { logFile, ...(limit === undefined ? {} : { logLimit: limit }) };
  // Without a log or a terminal the container has the caller's streams themselves.
  const attachable = logFile !== null || tty ? { attachSocket: join(state, "attach.sock") } : {};
  if (mode === "detached")
    return {
      kind: "detached",
      tty,
      interactive: options.interactive,
      ...log,
      ...attachable,
      printId: id,
    };
  const keys = tty ? parseDetachKeys(options.detachKeys) : undefined;
  return {
    kind: "foreground",
    tty,
    interactive,
    ...log,
    ...attachable,
    ...(keys === undefined ? {} : { detachKeys: keys }),
    ...(leave.length === 0 ? {} : { leave }),
    ...(keepSignals ? { keepSignals } : {}),
  };
}

/** What the launcher does last: removes what is files; for all else it calls tsimg. */
function clearingUp(
  { containers, endedProgram }: CreateContext,
  id: string,
  files: readonly string[] | undefined,
  { restart, points }: ContainerOptions,
  { autoRemove }: StartOptions,
): Pick<Launch, "removeAfter" | "runAfter" | "becomeAfter" | "becomeWith"> {
  if (restart.name !== "no") return { removeAfter: [], becomeAfter: endedProgram(id) };
  // It may get a policy while it runs.
  if (!autoRemove)
    return {
      removeAfter: [],
      becomeAfter: endedProgram(id),
      becomeWith: restartMark(containers.stateDirectory(id)),
    };
  // Volumes have rows, which the launcher can't remove.
  const anonymous = points.some((point) => point.type === "volume" && point.anonymous);
  if (files === undefined || anonymous) return { removeAfter: [], runAfter: endedProgram(id) };
  return { removeAfter: [...files, containers.directory(id), containers.stateDirectory(id)] };
}

/** Of volumes that nobody named. */
function volumeNames({ points }: ContainerOptions): readonly string[] {
  const mine = points.flatMap((it) => (it.type === "volume" && it.anonymous ? [it.name] : []));
  return [...new Set(mine)];
}

/** What occurs in the launch request and is this container's alone. */
function ownNames(
  id: string,
  snapshot: SnapshotId,
  files: readonly string[] | undefined,
  mounts: readonly MountSpec[],
): readonly string[] {
  const devices = mounts.filter(({ source }) => source.startsWith("/dev/mapper/"));
  const paths = [...(files ?? []), ...devices.map(({ source }) => source)];
  return [...new Set([id, id.slice(0, 12), snapshot, ...paths.map((path) => basename(path))])];
}
