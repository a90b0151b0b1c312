import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { SnapshotId, StorageOptions } from "../../../drivers/driver.ts";
import type { ContainerConfig } from "../../oci/image-config.ts";
import type { SnapshotStore } from "../../snapshot/snapshot-store.ts";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { ownIdentity } from "../../store/process-identity.ts";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import { noSpaceError } from "../../sys/no-space.ts";
import { randomHex } from "../../sys/random.ts";
import { planCgroup } from "../cgroup/plan.ts";
import { createSpec } from "../create-spec.ts";
import { readHost } from "../host-facts.ts";
import type { RunFlags } from "../run-flags.ts";
import type { MachineArch } from "../seccomp/architectures.ts";
import { parseSecurityOptions } from "../security-options.ts";
import type { ProgramCall } from "../tape/request.ts";
import type { Accounts } from "../user.ts";
import type { ContainerOptions } from "./container.ts";
import type { ContainerStore } from "./container-store.ts";
import { randomName } from "./random-name.ts";
import type { Launch } from "./tape-image.ts";

export interface CreateContext {
  readonly database: Database;
  readonly snapshots: SnapshotStore;
  readonly containers: ContainerStore;
  readonly paths: StorePaths;
  /** How the launcher has a container removed that has ended. */
  readonly removeProgram: (id: string) => ProgramCall;
}

/** The image to make a container of. */
export interface ContainerImage {
  /** As the user named it. */
  readonly name: string;
  readonly manifest: string;
  readonly config: ContainerConfig;
  readonly driver: string;
  /** Its unpacked layers; null when it has none. */
  readonly top: SnapshotId | null;
  readonly accounts: Accounts;
}

export interface CreatedContainer {
  readonly id: string;
  readonly request: Launch;
  /** What occurs in the request and is this container's alone. */
  readonly names: readonly string[];
  readonly arch: MachineArch;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;

/**
 * Makes a container: its rows, its writable snapshot and its bundle. It is started by
 * performing the launch request in this very process (the launcher takes its place), which
 * until then is its owner.
 *
 * @throws TsimgError ERR_USAGE, ERR_NAME_IN_USE, ERR_CONFIG_INVALID; nothing is then left
 */
export function createContainer(
  context: CreateContext,
  image: ContainerImage,
  flags: RunFlags,
): CreatedContainer {
  const { snapshots, containers, paths } = context;
  const id = randomHex(64);
  const state = containers.stateDirectory(id);
  const host = readHost(flags);
  const created = createSpec({
    config: image.config,
    flags,
    containerId: id,
    rootfs: join(state, "rootfs"),
    accounts: image.accounts,
    envFiles: flags.envFile.map((path) => ({ path, text: readUserFile(path, "--env-file") })),
    ...profileOf(flags),
    stateDirectory: state,
    volumesDirectory: paths.volumes,
    host: host.facts,
  });
  const { spec } = created;
  const cgroup = planCgroup({
    ...host.cgroups,
    path: spec.linux.cgroupsPath ?? `/tsimg/${id}`,
    resources: spec.linux.resources ?? {},
  });
  const logFile = flags.detach ? join(containers.directory(id), "container.log") : null;
  const snapshot = insertRows(context, image, flags, id, {
    command: spec.process.args,
    tty: flags.tty,
    detached: flags.detach,
    stopSignal: image.config.StopSignal ?? "SIGTERM",
    cgroups: cgroup.removals,
    logFile,
  });
  createSnapshot(snapshots, snapshot, flags.storage);
  const files = snapshots.files(snapshot);
  mkdirSync(join(state, "rootfs"), { recursive: true, mode: 0o700 });
  if (logFile !== null) mkdirSync(containers.directory(id), { recursive: true, mode: 0o700 });
  writeFileSync(join(state, "config.json"), JSON.stringify(spec));
  for (const file of created.files) writeFileSync(file.path, file.content, { mode: 0o644 });
  for (const volume of created.volumes) mkdirSync(volume.path, { recursive: true });
  const rootMounts = snapshots.mounts(snapshot, "rw");
  return {
    id,
    request: {
      spec,
      rootMounts,
      cgroup,
      stateDirectory: state,
      io: ioOf(flags, logFile, id),
      ...(flags.rm ? removal(context, id, files) : { removeAfter: [] }),
      init: flags.init,
    },
    names: ownNames(id, snapshot, files, rootMounts),
    arch: host.facts.arch,
  };
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

function createSnapshot(snapshots: SnapshotStore, id: SnapshotId, options: StorageOptions): void {
  try {
    snapshots.create(id, options);
  } catch (error) {
    throw noSpaceError(error, snapshots.driverOf(id).home) ?? error;
  }
}

/** The launcher removes what is files; for all else it calls this program. */
function removal(
  { containers, removeProgram }: CreateContext,
  id: string,
  files: readonly string[] | undefined,
): Pick<Launch, "removeAfter" | "runAfter"> {
  if (files !== undefined)
    return { removeAfter: [...files, containers.directory(id), containers.stateDirectory(id)] };
  return { removeAfter: [], runAfter: removeProgram(id) };
}

function ioOf(flags: RunFlags, logFile: string | null, id: string): Launch["io"] {
  const { tty, interactive } = flags;
  if (logFile === null) return { kind: "foreground", tty, interactive };
  return { kind: "detached", tty, interactive, logFile, printId: id };
}

function insertRows(
  { database, snapshots }: CreateContext,
  image: ContainerImage,
  flags: RunFlags,
  id: string,
  options: ContainerOptions,
): SnapshotId {
  if (flags.name !== undefined && !NAME.test(flags.name))
    throw new TsimgError("ERR_USAGE", `invalid container name '${flags.name}'`, {
      hint: "a name starts with a letter or digit, then letters, digits, '_', '.' and '-' may follow",
    });
  return database.transaction(() => {
    const taken = (name: string) =>
      database.get<{ id: string }>("select id from containers where name = ?", name);
    let name = flags.name ?? randomName();
    const holder = taken(name);
    if (holder !== undefined && flags.name !== undefined)
      throw new TsimgError(
        "ERR_NAME_IN_USE",
        `the container name '${name}' is in use by ${holder.id.slice(0, 12)}`,
        {
          hint: `remove it with "tsimg rm ${name}", or choose another --name`,
        },
      );
    if (holder !== undefined) name = `${name}_${id.slice(0, 8)}`;
    // The image may have been removed since it was looked up.
    if (image.top !== null && snapshots.get(image.top)?.state !== "ready")
      throw new TsimgError("ERR_NO_SUCH_IMAGE", `image '${image.name}' was just removed`);
    const snapshot = snapshots.prepare(image.driver, image.top, "active");
    database.run(
      `insert into containers (id, name, image, manifest, snapshot, created, auto_remove, owner, options)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      id,
      name,
      image.name,
      image.manifest,
      snapshot,
      new Date().toISOString(),
      flags.rm ? 1 : 0,
      ownIdentity(),
      JSON.stringify(options),
    );
    return snapshot;
  });
}

function profileOf(flags: RunFlags): { readonly seccompProfile?: string } {
  const { seccomp } = parseSecurityOptions(flags.securityOpt);
  if (seccomp.kind !== "file") return {};
  return { seccompProfile: readUserFile(seccomp.path, "--security-opt seccomp") };
}

function readUserFile(path: string, flag: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new TsimgError("ERR_USAGE", `${flag}: can't read '${path}': ${errorCode(cause)}`, {
      cause,
    });
  }
}
