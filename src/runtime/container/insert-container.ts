import type { SnapshotId } from "../../../drivers/driver.ts";
import type { SnapshotStore } from "../../snapshot/snapshot-store.ts";
import type { Database } from "../../store/database.ts";
import { recordEvent } from "../../store/events.ts";
import { ownIdentity } from "../../store/process-identity.ts";
import { TsimgError } from "../../sys/error.ts";
import type { RunFlags } from "../run-flags.ts";
import { type IdMaps, shareIds } from "../userns/choose-maps.ts";
import type { ContainerImage, ContainerOptions } from "./container.ts";
import { checkName, refuseTaken } from "./container-name.ts";
import { randomName } from "./random-name.ts";

/** Of all containers, running or not: those with `auto` share no IDs. */
export function takenMaps(database: Database): readonly IdMaps[] {
  const sql = "select json_extract(options, '$.maps') as maps from containers";
  return database
    .all<{ maps: string | null }>(sql)
    .flatMap(({ maps }) => (maps === null ? [] : [JSON.parse(maps) as IdMaps]));
}

interface NewRow {
  readonly id: string;
  readonly options: ContainerOptions;
  /** Whether it is started right away. */
  readonly starts: boolean;
  /** Whether no other container may have its user and group IDs. */
  readonly ownIds: boolean;
}

/**
 * Writes down that a container is being made, with a snapshot for it.
 *
 * @returns undefined when another container has some of its IDs by now
 * @throws TsimgError ERR_USAGE, ERR_NAME_IN_USE, ERR_NO_SUCH_IMAGE
 */
export function insertContainer(
  { database, snapshots }: { readonly database: Database; readonly snapshots: SnapshotStore },
  image: ContainerImage,
  flags: RunFlags,
  { id, options, starts, ownIds }: NewRow,
): SnapshotId | undefined {
  if (flags.name !== undefined) checkName(flags.name);
  return database.transaction(() => {
    const { maps } = options;
    if (ownIds && maps !== null && shareIds(maps, takenMaps(database))) return undefined;
    let name = flags.name ?? randomName();
    if (flags.name !== undefined) refuseTaken(database, name);
    else if (database.get("select 1 from containers where name = ?", name) !== undefined)
      name = `${name}_${id.slice(0, 8)}`;
    // The image may have been removed since it was looked up.
    if (image.top !== null && snapshots.get(image.top)?.state !== "ready")
      throw new TsimgError("ERR_NO_SUCH_IMAGE", `image '${image.name}' was just removed`);
    const snapshot = snapshots.prepare(image.driver, image.top, "active");
    database.run(
      `insert into containers (id, name, image, manifest, snapshot, created, auto_remove, owner, options, ready)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
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
    const attributes = { ...options.labels, image: image.name, name };
    for (const action of starts ? ["create", "start"] : ["create"])
      recordEvent(database, { type: "container", action, actor: id, attributes });
    return snapshot;
  });
}
