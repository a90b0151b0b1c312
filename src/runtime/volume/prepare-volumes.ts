import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "../../store/database.ts";
import type { StorePaths } from "../../store/paths.ts";
import { errorCode } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { noSpaceError } from "../../sys/no-space.ts";
import type { MountPlan, PlannedVolume } from "../mounts/plan-mounts.ts";
import { copyUp, type ImageView } from "./copy-up.ts";
import { newVolume } from "./new-volume.ts";
import { checkSubpath } from "./subpath.ts";
import type { VolumeWish } from "./volume.ts";
import { VolumeStore } from "./volume-store.ts";

export interface VolumeContext {
  readonly database: Database;
  readonly paths: Pick<StorePaths, "volumes">;
}

/** How often a volume that others remove at the same time is made again. */
const ATTEMPTS = 20;

/**
 * Makes what a plan needs to be there before its container starts: volumes, with what the image
 * has at their places, directories of the host. What is there already stays as it is, so that
 * it may be called again before each start.
 *
 * From then on the container has its volumes: nobody can remove them until `releaseVolumes`.
 * After a failure the caller releases them too; named volumes then stay, as with docker.
 *
 * @param container ID of one whose row is in the database
 * @param view the container's tree as it was made; undefined when it has been started before:
 *             a volume that it emptied is not filled again
 * @throws TsimgError ERR_USAGE when the source of a `--mount` or a subpath isn't there; ERR_IN_USE,
 *   ERR_NO_SPACE
 */
export function prepareVolumes(
  { database, paths }: VolumeContext,
  plan: MountPlan,
  container: string,
  view: ImageView | undefined,
): void {
  for (const path of plan.required)
    if (!existsSync(path))
      throw new TsimgError("ERR_USAGE", `bind source path does not exist: '${path}'`, {
        hint: "make it, or use -v, which makes a directory of it",
      });
  if (plan.volumes.length > 0) {
    const store = new VolumeStore(database, paths);
    store.recover();
    for (const volume of plan.volumes) prepare(store, database, volume, container, view);
  }
  for (const path of plan.directories) makeDirectory(path);
}

function prepare(
  store: VolumeStore,
  database: Database,
  planned: PlannedVolume,
  container: string,
  view: ImageView | undefined,
): void {
  const { name, anonymous, destination } = planned;
  for (let attempt = 1; ; attempt++) {
    store.create(wishOf(planned));
    if (claim(database, name, container, anonymous)) break;
    if (attempt === ATTEMPTS)
      throw new TsimgError("ERR_IN_USE", `volume '${name}' is removed again and again`);
  }
  // One with options is something else that is mounted: not ours to fill.
  if (Object.keys(store.existing(name).options).length > 0) return;
  const data = store.dataDirectory(name);
  if (!existsSync(data))
    throw new TsimgError("ERR_STORE", `volume '${name}' has lost its directory '${data}'`, {
      hint: `make it again, or remove the volume with "tsimg volume rm ${name}"`,
    });
  try {
    const source = planned.copyUp ? view : undefined;
    copyUp({ directory: join(data, ".."), source: destination }, source);
  } catch (error) {
    throw noSpaceError(error, data) ?? error;
  }
  if (planned.subpath !== undefined) checkSubpath(data, planned.subpath, name);
}

function wishOf({ name, anonymous, labels, options }: PlannedVolume): VolumeWish {
  const { labels: all } = newVolume(anonymous ? undefined : name, labels, options);
  return { name, anonymous, labels: all, options };
}

/** @returns false when the volume has gone since it was made */
function claim(database: Database, volume: string, container: string, anonymous: boolean): boolean {
  return database.transaction(() => {
    const ready = "select 1 from volumes where name = ? and state = 'ready'";
    if (database.get(ready, volume) === undefined) return false;
    const sql = `insert into volume_uses (volume, container, anonymous) values (?, ?, ?)
      on conflict do nothing`;
    database.run(sql, volume, container, anonymous ? 1 : 0);
    return true;
  });
}

function makeDirectory(path: string): void {
  // Also files may be bound, sockets for one.
  if (existsSync(path)) return;
  try {
    mkdirSync(path, { recursive: true, mode: 0o755 });
  } catch (cause) {
    const code = errorCode(cause) ?? "";
    throw new TsimgError("ERR_USAGE", `can't make the directory '${path}' for -v: ${code}`, {
      cause,
      hint: "name one that exists, or make it",
    });
  }
}
