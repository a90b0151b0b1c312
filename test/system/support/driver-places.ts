import { missingForZfs, testPool } from "../../conformance/support/zfs-fuse.ts";
import { missing } from "../../peers/requirements.ts";
import type { Tsimg } from "./tsimg.ts";

/** A driver in a store of its own, as a user sets it up. */
export interface DriverPlace extends AsyncDisposable {
  /** What `--driver` takes. */
  readonly driver: string;
}

export interface DriverKind {
  readonly title: string;
  /** Why it can't be had here; undefined when it can. */
  readonly absent: string | undefined;
  /**
   * Makes what it lies on, of at least this size where it is a pool's.
   * @param pool the name of a pool, of which a store may have several
   */
  prepare(tsimg: Tsimg, size?: string, pool?: string): Promise<DriverPlace>;
}

const POOL = "place";

/** Every driver that this machine can have, those on pools with a pool of their own. */
export const DRIVER_KINDS: readonly DriverKind[] = [
  beside("overlay2"),
  beside("vfs"),
  beside("erofs"),
  inPool("reflink", "xfs", "vfs", missing(["mkfs.xfs", "mount"])),
  inPool("btrfs", "btrfs", "btrfs", missing(["mkfs.btrfs", "mount"])),
  withDaemon(inPool("zfs", "zfs", "zfs", missingForZfs())),
];

/** One that lies in the store's root. */
export function beside(driver: string): DriverKind {
  return {
    title: driver,
    absent: missing([]),
    prepare: async (tsimg) => ({ driver, [Symbol.asyncDispose]: () => tsimg.clear() }),
  };
}

/** A driver in a pool of its own, which is a file. */
export function inPool(
  title: string,
  kind: string,
  driver: string,
  absent: string | undefined,
): DriverKind {
  return {
    title,
    absent,
    async prepare(tsimg, size = "1G", pool = POOL) {
      await tsimg.output("pool", "create", pool, "--driver", kind, "--size", size);
      return {
        driver: `${driver}:${pool}`,
        [Symbol.asyncDispose]: async () => {
          // What a test that failed has left in it would hold the pool.
          await tsimg.clear();
          await tsimg.output("pool", "rm", "--force", pool);
        },
      };
    },
  };
}

/** zfs-fuse lives as long as somebody has a pool in it. */
function withDaemon(kind: DriverKind): DriverKind {
  return {
    ...kind,
    async prepare(tsimg, size, pool) {
      const keeper = testPool(64);
      try {
        const place = await kind.prepare(tsimg, size, pool);
        return {
          driver: place.driver,
          [Symbol.asyncDispose]: async () => {
            using _keeper = keeper;
            await place[Symbol.asyncDispose]();
          },
        };
      } catch (error) {
        keeper[Symbol.dispose]();
        throw error;
      }
    },
  };
}
