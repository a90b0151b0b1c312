import { existsSync, mkdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join, resolve } from "node:path";
import type { SnapshotId, StorageOptions } from "../../../drivers/driver.ts";
import type { ContainerConfig } from "../../oci/image-config.ts";
import type { Spec } from "../../oci/runtime-spec.ts";
import type { SnapshotStore } from "../../snapshot/snapshot-store.ts";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { noSpaceError } from "../../sys/no-space.ts";
import { randomHex } from "../../sys/random.ts";
import { inUserNamespace } from "../../sys/user-namespace.ts";
import { planCgroup } from "../cgroup/plan.ts";
import { createSpec } from "../create-spec.ts";
import { readHost } from "../host-facts.ts";
import { planMounts } from "../mounts/plan-mounts.ts";
import type { NetworkContext } from "../network/network-context.ts";
import { type NetworkRequest, parseNetworkFlags } from "../network/network-request.ts";
import { usualUserNetwork } from "../network/user-network.ts";
import { parseStopSignal, parseStopTimeout } from "../process-flags.ts";
import type { RunFlags } from "../run-flags.ts";
import { chooseModes, type Joins, joinsOf } from "../spec/modes.ts";
import type { ProgramCall } from "../tape/request.ts";
import { chooseMaps } from "../userns/choose-maps.ts";
import { anonymousName } from "../volume/new-volume.ts";
import { prepareVolumes } from "../volume/prepare-volumes.ts";
import { tellMounts } from "../volume/volume-events.ts";
import { VolumeStore } from "../volume/volume-store.ts";
import type { ContainerImage, ContainerOptions } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import { parseDetachKeys } from "./detach-keys.ts";
import { chooseRuntime } from "./foreign-runtime.ts";
import { givenOptions } from "./given.ts";

import { chooseHealthCheck, type HealthCheck } from "./health.ts";
import { insertContainer, takenMaps } from "./insert-container.ts";
import { chooseLabels } from "./labels.ts";
import { hasLog, parseLogOptions, USUAL_LOG } from "./log-options.ts";
import { readSpec } from "./read-spec.ts";
import { parseRestartPolicy, type RestartPolicy } from "./restart-policy.ts";
import { profileOf, readUserFile } from "./user-files.ts";

export interface CreateContext {
  readonly database: Database;
  readonly snapshots: SnapshotStore;
  readonly containers: ContainerStore;
  readonly paths: StorePaths;
  /** How the launcher has tsimg see to a container that has ended. */
  readonly endedProgram: (id: string) => ProgramCall;
  /** What serves as the first process in a container of another runtime. */
  readonly initProgram: string;
  readonly networks: NetworkContext;
}

/** What is made before a container is started for the first time. */
export interface CreatedContainer {
  readonly id: string;
  readonly snapshot: SnapshotId;
  readonly spec: Spec;
  readonly options: ContainerOptions;
}

/**
 * Makes a container: its rows, its writable snapshot and its spec.
 *
 * @param starts whether this process starts it, too: until it runs, it is nobody else's
 *               business, and undone when this process dies
 * @throws TsimgError ERR_USAGE, ERR_NAME_IN_USE, ERR_CONFIG_INVALID; nothing is then left
 */
export function createContainer(
  context: CreateContext,
  image: ContainerImage,
  flags: RunFlags,
  starts: boolean,
): CreatedContainer {
  for (;;) {
    const created = tryCreate(context, image, flags, starts);
    if (created !== undefined) return created;
  }
}

/** @returns undefined when the IDs that it chose were taken by another container meanwhile */
function tryCreate(
  context: CreateContext,
  image: ContainerImage,
  flags: RunFlags,
  starts: boolean,
): CreatedContainer | undefined {
  const { snapshots, containers, paths, database } = context;
  const id = randomHex(64);
  const state = containers.stateDirectory(id);
  const host = readHost(flags);
  const read = (path: string, flag: string) => ({ path, text: readUserFile(path, flag) });
  const plan = planMounts({
    flags,
    imageVolumes: image.config.Volumes,
    pointsOf: (name) => containers.existing(name).options.points,
    volumeMount: (name, options) => new VolumeStore(database, paths).mountOf(name, options),
    volumesDirectory: paths.volumes,
    workingDirectory: process.cwd(),
    newName: anonymousName,
  });
  const asked = networkOf(containers, flags);
  const modes = chooseModes(flags, asked);
  const runtime = chooseRuntime(flags, modes, plan.mounts);
  const joins = joinedIds(containers, joinsOf(modes));
  const maps =
    joins.user === undefined
      ? chooseMaps(modes.user, flags, takenMaps(database))
      : (containers.existing(joins.user).options.maps ?? undefined);
  const network = { ...asked, ...hostnameBeside(containers, joins) };
  const spec = createSpec({
    config: image.config,
    flags,
    network,
    containerId: id,
    rootfs: join(state, "rootfs"),
    accounts: image.accounts,
    envFiles: flags.envFile.map((path) => read(path, "--env-file")),
    ...profileOf(flags),
    filesDirectory: joins.network === undefined ? state : containers.stateDirectory(joins.network),
    mounts: plan.mounts,
    ...(maps === undefined ? {} : { maps }),
    host: host.facts,
  });
  const cgroup = planCgroup({
    ...host.cgroups,
    path: spec.linux.cgroupsPath ?? `/tsimg/${id}`,
    resources: spec.linux.resources ?? {},
  });
  const directory = containers.directory(id);
  const labelFiles = flags.labelFile.map((path) => read(path, "--label-file"));
  // Its starter may be gone before it ends.
  const kept = !flags.rm || flags.detach || flags.sigProxy === "false";
  const log = parseLogOptions(flags.logDriver, flags.logOpt);
  const options: ContainerOptions = {
    command: spec.process.args,
    tty: flags.tty,
    interactive: flags.interactive,
    detached: flags.detach,
    init: flags.init,
    ...stopOf(flags, image.config),
    cgroups: cgroup.removals,
    logFile: kept && hasLog(log ?? USUAL_LOG) ? join(directory, "container.log") : null,
    ...(log === undefined ? {} : { log }),
    labels: chooseLabels(image.config.Labels, labelFiles, flags.label),
    restart: restartOf(flags),
    health: healthOf(flags, image.config, runtime),
    detachKeys: flags.detachKeys ?? null,
    runtime,
    network,
    exposed: image.config.ExposedPorts,
    joins,
    maps: maps ?? null,
    points: plan.points,
    given: givenOptions(flags, image.config),
    pidFile: flags.pidfile === undefined ? null : resolve(flags.pidfile),
  };
  parseDetachKeys(options.detachKeys);
  using undo = new DisposableStack();
  const { cidfile } = flags;
  if (cidfile !== undefined) {
    claimCidfile(cidfile, id);
    undo.defer(() => rmSync(cidfile, { force: true }));
  }
  const ownIds = modes.user.kind === "auto";
  const snapshot = insertContainer(context, image, flags, { id, options, starts, ownIds });
  if (snapshot === undefined) return undefined;
  undo.defer(() => containers.undo(id));
  createSnapshot(snapshots, snapshot, flags.storage);
  prepareVolumes(context, plan, id, () => snapshots.open(snapshot, "ro", paths.view));
  if (kept) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, "config.json"), JSON.stringify(spec));
  }
  if (!starts) database.run("update containers set ready = 1 where id = ?", id);
  else if (plan.volumes.length > 0)
    database.transaction(() => tellMounts(database, id, plan.points, "mount"));
  undo.move();
  return { id, snapshot, spec, options };
}

/** What the flags say of the network; containers that they name by their IDs. */
function networkOf(containers: ContainerStore, flags: RunFlags): NetworkRequest {
  const { network, net } = flags;
  // A bridge is the host's: an ordinary user has none to connect to.
  const usual =
    process.env["TSIMG_NETWORK"] || (inUserNamespace() ? (usualUserNetwork() ?? "none") : "");
  const chosen = network.length + net.length === 0 && usual !== "" ? [usual] : network;
  const request = parseNetworkFlags({ ...flags, network: chosen });
  const { choice } = request;
  if (choice.kind !== "container") return request;
  const { row } = containers.existing(choice.container);
  return { ...request, choice: { kind: "container", container: row.id } };
}

/** Who shares a container's network answers to its name. */
function hostnameBeside(
  containers: ContainerStore,
  { network, uts: id = network }: Joins,
): Pick<NetworkRequest, "hostname"> {
  if (id === undefined) return {};
  const places = [containers.stateDirectory(id), containers.directory(id)];
  const place = places.find((path) => existsSync(join(path, "config.json")));
  const { hostname } = place === undefined ? {} : readSpec(place);
  return hostname === undefined ? {} : { hostname };
}

function joinedIds(containers: ContainerStore, joins: Joins): Joins {
  const ids = Object.entries(joins).map(([type, name]) => [type, containers.existing(name).row.id]);
  return Object.fromEntries(ids);
}

/** A check would be our own process in another runtime's container. */
function healthOf(
  flags: RunFlags,
  { Healthcheck }: ContainerConfig,
  runtime: string | null,
): HealthCheck | null {
  const check = chooseHealthCheck(flags, Healthcheck);
  if (check === null || runtime === null) return check;
  writeSync(2, "tsimg: warning: the image's health check is not run with --runtime\n");
  return null;
}

/** A restart policy and `--rm` would fight over the container. */
function restartOf(flags: RunFlags): RestartPolicy {
  const policy = parseRestartPolicy(flags.restart);
  if (!flags.rm || policy.name === "no") return policy;
  throw new TsimgError("ERR_USAGE", "--restart and --rm contradict each other", {
    hint: "leave one of them out",
  });
}

function stopOf(
  flags: RunFlags,
  config: ContainerConfig,
): Pick<ContainerOptions, "stopSignal" | "stopTimeout"> {
  const { stopSignal, stopTimeout } = flags;
  const seconds = stopTimeout === undefined ? null : parseStopTimeout(stopTimeout);
  return {
    stopSignal:
      stopSignal === undefined ? (config.StopSignal ?? "SIGTERM") : parseStopSignal(stopSignal),
    // JSON has no infinity.
    stopTimeout: seconds === Number.POSITIVE_INFINITY ? -1 : seconds,
  };
}

/** @throws TsimgError ERR_IN_USE when the file is there: it may be another container's */
function claimCidfile(path: string, id: string): void {
  try {
    writeFileSync(path, id, { flag: "wx" });
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST") throw cause;
    throw new TsimgError("ERR_IN_USE", `--cidfile: '${path}' exists`, {
      cause,
      hint: "remove it, or make sure that its container isn't needed any more",
    });
  }
}

function createSnapshot(snapshots: SnapshotStore, id: SnapshotId, options: StorageOptions): void {
  try {
    snapshots.create(id, options);
  } catch (error) {
    throw noSpaceError(error, snapshots.driverOf(id).home) ?? error;
  }
}
