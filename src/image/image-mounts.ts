import type { SnapshotId } from "../../drivers/driver.ts";
import type { Digest } from "../oci/digest.ts";
import type { Database } from "../store/database.ts";
import { dropDeadLeases } from "../store/leases.ts";
import { isMountPointForAnyone } from "../sys/mount-table.ts";

/** One view of an image, or of its lower layers, that stands on the host. */
export interface ImageMount {
  /** Absolute and real. */
  readonly path: string;
  readonly snapshot: SnapshotId;
  /** The image's manifest. */
  readonly image: Digest;
  readonly created: string;
}

/**
 * Which images are mounted on the host, and where. The row is there before the mount and
 * goes after it, so that a layer is never taken from under a mount; what a reboot, a kill or
 * umount(8) left without its mount is dropped by the next look.
 */
export class ImageMounts {
  private readonly database: Database;
  private readonly isMounted: (path: string) => boolean;

  constructor(database: Database, isMounted = isMountPointForAnyone) {
    this.database = database;
    this.isMounted = isMounted;
  }

  /** All that are mounted, or just being mounted. */
  list(): readonly ImageMount[] {
    const rows = this.database.all<ImageMount>("select * from image_mounts order by path");
    const gone = rows.filter((row) => !this.isMounted(row.path) && this.dropIfGone(row.path));
    return rows.filter((row) => !gone.includes(row));
  }

  /** Those of an image, as `list` left them. */
  ofImage(image: Digest): readonly ImageMount[] {
    const sql = "select * from image_mounts where image = ? order by path";
    return this.database.all<ImageMount>(sql, image);
  }

  at(path: string): ImageMount | undefined {
    return this.database.get<ImageMount>("select * from image_mounts where path = ?", path);
  }

  /** Call inside a transaction, with a lease on the snapshot's chain until it is mounted. */
  add(path: string, snapshot: SnapshotId, image: Digest): void {
    this.database.run(
      "insert into image_mounts (path, snapshot, image, created) values (?, ?, ?, ?)",
      path,
      snapshot,
      image,
      new Date().toISOString(),
    );
  }

  remove(path: string): void {
    this.database.run("delete from image_mounts where path = ?", path);
  }

  /** A chain that somebody holds may be just about to be mounted. */
  private dropIfGone(path: string): boolean {
    return this.database.transaction(() => {
      dropDeadLeases(this.database);
      const held = this.database.get(
        `select 1 from image_mounts m join snapshots s on s.id = m.snapshot
           join lease_holds h on h.kind = 'chain' and h.ref = s.chain_id where m.path = ?`,
        path,
      );
      // Once more: whoever held it may have mounted it meanwhile.
      if (held !== undefined || this.isMounted(path)) return false;
      this.remove(path);
      return true;
    });
  }
}
