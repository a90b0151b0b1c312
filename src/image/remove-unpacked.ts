import type { SnapshotId } from "../../drivers/driver.ts";
import type { ChainId } from "../oci/digest.ts";
import type { Snapshot } from "../snapshot/snapshot-rows.ts";
import type { SnapshotStore } from "../snapshot/snapshot-store.ts";
import type { Database } from "../store/database.ts";
import { dropDeadLeases } from "../store/leases.ts";
import { TsimgError } from "../sys/error.ts";
import { ImageMounts } from "./image-mounts.ts";
import type { Image, ImageStore } from "./image-store.ts";
import { meant } from "./unpacked-copy.ts";

export interface RemoveUnpackedContext {
  readonly database: Database;
  readonly images: ImageStore;
  readonly snapshots: SnapshotStore;
}

export type RemovedLayerLine = `Removed: ${string} ${ChainId}`;

/**
 * Takes an image out of one driver: its layers there, from the top down to the first that
 * something else needs. Names and content stay, so that a pull unpacks it again without
 * fetching anything.
 *
 * @throws TsimgError ERR_NO_SUCH_IMAGE; ERR_NO_SUCH_SNAPSHOT when nothing of it is there;
 *         ERR_IN_USE for a copy that a container, a mount or another image needs as a whole
 */
export function removeUnpacked(
  context: RemoveUnpackedContext,
  text: string,
  wanted: string,
): readonly RemovedLayerLine[] {
  const { database, images, snapshots } = context;
  const mounts = new ImageMounts(database);
  mounts.list();
  const marked = database.transaction(() => {
    dropDeadLeases(database);
    const { image } = images.existing(text);
    const driver = driverMeant(context, image, text, wanted);
    refuseUsed(context, mounts, image, text, driver);
    const layers = images
      .layers(image.digest)
      .flatMap(({ chainId }) => snapshots.byChain(driver, chainId) ?? []);
    const going: Snapshot[] = [];
    for (const layer of layers.toReversed()) {
      const user = userOf(context, layer, image);
      if (user === undefined) going.push(layer);
      else if (going.length > 0) break;
      else
        throw new TsimgError("ERR_IN_USE", `${user} needs the layers of '${text}' in '${driver}'`, {
          hint: "remove that first",
        });
      snapshots.markRemoving(layer.id);
    }
    return going;
  });
  snapshots.destroy(...marked.map(({ id }) => id));
  return marked.map(({ driver, chain_id }) => `Removed: ${driver} ${chain_id as ChainId}` as const);
}

/** @returns the name in the database of a driver that has something of the image */
function driverMeant(
  { images, snapshots }: RemoveUnpackedContext,
  image: Image,
  text: string,
  wanted: string,
): string {
  const layers = images.layers(image.digest);
  const all = new Set(layers.flatMap(({ chainId }) => snapshots.driversOf(chainId)));
  const [driver, another] = meant([...all], wanted);
  if (another !== undefined)
    throw new TsimgError("ERR_USAGE", `image '${text}' is in ${[driver, another].join(" and ")}`, {
      hint: `say which with --driver ${driver}`,
    });
  if (driver !== undefined) return driver;
  throw new TsimgError("ERR_NO_SUCH_SNAPSHOT", `image '${text}' is not unpacked in '${wanted}'`, {
    hint: all.size === 0 ? "it is unpacked nowhere" : `it is in ${[...all].join(", ")}`,
  });
}

function refuseUsed(
  { database }: RemoveUnpackedContext,
  mounts: ImageMounts,
  image: Image,
  text: string,
  driver: string,
): void {
  const inDriver = (id: SnapshotId) =>
    database.get("select 1 from snapshots where id = ? and driver = ?", id, driver) !== undefined;
  const container = database.get<{ name: string }>(
    `select c.name from containers c join snapshots s on s.id = c.snapshot
     where c.manifest = ? and s.driver = ? limit 1`,
    image.digest,
    driver,
  )?.name;
  if (container !== undefined)
    throw new TsimgError(
      "ERR_IN_USE",
      `container '${container}' is on the copy of '${text}' in driver '${driver}'`,
      { hint: `remove that first with "tsimg rm ${container}"` },
    );
  const mount = mounts.ofImage(image.digest).find(({ snapshot }) => inDriver(snapshot));
  if (mount !== undefined)
    throw new TsimgError("ERR_IN_USE", `the copy of '${text}' is mounted on '${mount.path}'`, {
      hint: `unmount it first with "tsimg umount ${mount.path}"`,
    });
}

/** What else needs a layer, in words; undefined when nothing does. */
function userOf(
  { database, images }: RemoveUnpackedContext,
  { id, chain_id }: Snapshot,
  image: Image,
): string | undefined {
  const child = database.get<{ kind: string }>(
    "select kind from snapshots where parent = ? and state != 'removing' limit 1",
    id,
  );
  if (child !== undefined) return child.kind === "committed" ? "another image" : "a container";
  const mount = database.get<{ path: string }>(
    "select path from image_mounts where snapshot = ? limit 1",
    id,
  );
  if (mount !== undefined) return `what is mounted on '${mount.path}'`;
  const held = database.get("select 1 from lease_holds where kind = 'chain' and ref = ?", chain_id);
  if (held !== undefined) return "a command that just runs";
  const other = database.get<{ digest: Image["digest"] }>(
    "select digest from manifests where chain_id = ? and digest != ? limit 1",
    chain_id,
    image.digest,
  );
  if (other === undefined) return undefined;
  const name = images.names(other.digest)[0]?.name;
  return name === undefined ? "another image" : `image '${name}'`;
}
