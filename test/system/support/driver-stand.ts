import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { App } from "../../../src/app.ts";
import { keeperOf, PoolManager } from "../../../src/storage/pool/pool-manager.ts";
import { KEEPS_ALL, type Keeps, timesAt, ZFS_FUSE_DIFFERS } from "../../conformance/keeps.ts";
import { DRIVER_KINDS } from "./driver-places.ts";
import type { Tsimg } from "./tsimg.ts";

/** A driver at work in a store that has all the others, too. */
export interface DriverStand {
  readonly title: string;
  /** What `--driver` takes, and what the database calls it. */
  readonly driver: string;
  /** What the file system under it keeps of a tree. */
  readonly keeps: Keeps;
}

/** Every driver that this machine can have, in one store; they go with all that is in them. */
export class DriverStands implements AsyncDisposable {
  readonly all: readonly DriverStand[];
  private readonly resources: AsyncDisposableStack;

  private constructor(all: readonly DriverStand[], resources: AsyncDisposableStack) {
    this.all = all;
    this.resources = resources;
  }

  static async open(tsimg: Tsimg): Promise<DriverStands> {
    await using resources = new AsyncDisposableStack();
    resources.defer(() => releasePools(tsimg.root));
    const all: DriverStand[] = [];
    for (const { title, absent, prepare } of DRIVER_KINDS) {
      if (absent !== undefined) continue;
      const place = await prepare(tsimg, "1G", `for-${title}`);
      resources.use(place);
      all.push({ title, driver: place.driver, keeps: keptBy(title, dirname(tsimg.root)) });
    }
    // While there is anything in a pool it stays.
    resources.defer(async () => {
      await tsimg.run("umount", "--all");
      await tsimg.clear();
    });
    return new DriverStands(all, resources.move());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.resources.disposeAsync();
  }
}

function keptBy(title: string, directory: string): Keeps {
  if (title === "zfs" && existsSync("/var/run/zfs/zfs_socket"))
    return { ...KEEPS_ALL, ...ZFS_FUSE_DIFFERS };
  const isInRoot = ["overlay2", "vfs", "erofs"].includes(title);
  return isInRoot ? { ...KEEPS_ALL, times: timesAt(directory) } : KEEPS_ALL;
}

/** Takes down what a failed test has left in use, so that nothing of it stays mounted. */
function releasePools(root: string): void {
  using app = new App({ root });
  for (const pool of new PoolManager(app.database, app.paths).rows.all())
    keeperOf(pool.kind).release(pool);
}
