import { closeSync, constants, mkdirSync, openSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Mount, Spec } from "../../oci/runtime-spec.ts";
import type { SnapshotStore } from "../../snapshot/snapshot-store.ts";
import type { StorePaths } from "../../store/paths.ts";
import { identityOf, isAlive } from "../../store/process-identity.ts";
import { bindOnto } from "../../sys/bind-onto.ts";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { type MapTexts, makeUserNamespace } from "../../sys/map-owners.ts";
import type { MountSpec } from "../../sys/mount-spec.ts";
import { O_PATH, openWithin } from "../../sys/open-within.ts";
import { mountPrivately } from "../../sys/private-mounts.ts";
import type { Container } from "../container/container.ts";
import type { ContainerStore } from "../container/container-store.ts";
import { firstProcess } from "../container/first-process.ts";
import { SUBPATH } from "../mounts/mount-point.ts";
import { mapText } from "../tape/user-namespace.ts";
import type { IdMaps } from "../userns/choose-maps.ts";
import type { CopyRoot } from "./copy-root.ts";
import { type MappedMount, mountMapped } from "./mapped-mount.ts";

export interface ContainerRootContext {
  readonly snapshots: SnapshotStore;
  readonly containers: ContainerStore;
  readonly paths: StorePaths;
}

const ROOT = O_PATH | constants.O_DIRECTORY;

/**
 * The files of a container: as its first process sees them while it runs, else its snapshot
 * with its binds and volumes, mounted for this process alone.
 *
 * Of a container that doesn't run, this thread goes into a mount namespace of its own for good;
 * from then on only synchronous calls of `node:fs` see what it sees.
 *
 * Either way owners are as the host knows them: those of `ownerMaps`, where it has maps.
 *
 * @throws TsimgError ERR_STATE, ERR_IN_USE when the container ends or starts at this moment
 */
export function openContainerRoot(
  context: ContainerRootContext,
  container: Container,
  mode: "ro" | "rw",
): CopyRoot & Disposable {
  const shown = (path: string) => `${container.row.name}:${path}`;
  const { state } = container;
  if (state.status === "running") {
    const { pid, startTime } = state.started;
    const first = firstProcess(context.containers, container);
    const fd = tolerating(["ENOENT", "ESRCH"], () => openSync(`/proc/${first}/root`, ROOT));
    // Looked at after it was opened: else it could be another process's of that number.
    if (fd === undefined || !isAlive(identityOf(pid, startTime))) {
      if (fd !== undefined) closeSync(fd);
      throw new TsimgError("ERR_STATE", `container '${container.row.name}' is just ending`, {
        hint: "try again in a moment",
      });
    }
    return { fd, shown, [Symbol.dispose]: () => closeSync(fd) };
  }
  // Its launcher is about to mount the same snapshot.
  if (state.status === "created" && isAlive(container.row.owner))
    throw new TsimgError("ERR_IN_USE", `container '${container.row.name}' is just being started`, {
      hint: "try again in a moment",
    });
  const { fd, mounted } = mountStopped(context, container, mode);
  return {
    fd,
    shown,
    [Symbol.dispose]() {
      closeSync(fd);
      mounted[Symbol.dispose]();
    },
  };
}

function mountStopped(
  { snapshots, containers, paths }: ContainerRootContext,
  { row, options }: Container,
  wanted: "ro" | "rw",
): { readonly fd: number; readonly mounted: Disposable } {
  const bundle = containers.stateDirectory(row.id);
  const spec = readSpec(join(bundle, "config.json"));
  const mode = spec?.root.readonly === true ? "ro" : wanted;
  mkdirSync(paths.view, { recursive: true });
  const { maps } = options;
  const mapping = maps === null ? undefined : makeUserNamespace(mapTexts(maps));
  try {
    // An upper layer that is only read would be one of those whose owners are mapped.
    const specs = snapshots.mounts(row.snapshot, mapping === undefined ? mode : "rw");
    const mounted = mountRoot(specs, paths.view, mode, mapping);
    const fd = openSync(mounted.path, ROOT);
    try {
      for (const mount of spec?.mounts ?? [])
        if (mount.type === "bind" && dirname(mount.source) !== bundle)
          bind(mount, fd, wanted, mapping);
      return { fd, mounted };
    } catch (error) {
      closeSync(fd);
      mounted[Symbol.dispose]();
      throw error;
    }
  } finally {
    if (mapping !== undefined) closeSync(mapping);
  }
}

function mountRoot(
  specs: readonly MountSpec[],
  place: string,
  mode: "ro" | "rw",
  mapping: number | undefined,
): MappedMount {
  if (mapping !== undefined) return mountMapped(specs, place, mode, mapping);
  const mounted = mountPrivately(specs, place, mode);
  return { path: place, [Symbol.dispose]: () => mounted[Symbol.dispose]() };
}

function mapTexts({ uidMappings, gidMappings }: IdMaps): MapTexts {
  return { uids: mapText(uidMappings), gids: mapText(gidMappings) };
}

/** A mount whose source or destination isn't there is left out: nothing would be seen of it. */
function bind(
  { source, destination, options }: Mount,
  root: number,
  wanted: "ro" | "rw",
  userNamespace: number | undefined,
): void {
  const target = tolerating(["ENOENT", "ENOTDIR"], () =>
    openWithin(root, destination, O_PATH, "root"),
  );
  if (target === undefined) return;
  const part = options.find((option) => option.startsWith(SUBPATH))?.slice(SUBPATH.length);
  const guarded = options.includes("ro") || options.includes("rro");
  const path = part === undefined ? source : source.slice(0, -part.length - 1);
  const within = part === undefined ? {} : { within: part };
  const mapping = options.some((option) => /^r?idmap$/.test(option)) ? userNamespace : undefined;
  const readonly = guarded || wanted === "ro";
  try {
    tolerating(
      ["ENOENT", "ENOTDIR"],
      () => bindOnto({ path, ...within, readonly, mapping }, target) ?? true,
    );
  } finally {
    closeSync(target);
  }
}

/** Gone after a reboot; the snapshot isn't. */
function readSpec(path: string): Spec | undefined {
  const text = tolerating(["ENOENT"], () => readFileSync(path, "utf8"));
  return text === undefined ? undefined : (JSON.parse(text) as Spec);
}

/** The machine's own files. */
export function openHostRoot(): CopyRoot & Disposable {
  const fd = openSync("/", ROOT);
  return { fd, shown: (path) => path, [Symbol.dispose]: () => closeSync(fd) };
}
