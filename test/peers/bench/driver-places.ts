import { statfsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { outputOf } from "../../../fixtures/command.ts";
import { App } from "../../../src/app.ts";
import { keeperOf } from "../../../src/storage/pool/pool-manager.ts";
import { PoolRows } from "../../../src/storage/pool/pool-rows.ts";
import { type Group, makeGroup } from "../cgroup.ts";
import { startDaemon } from "../tools/daemon.ts";
import type { Invocation } from "../tools/tool.ts";

/** What a file system holds. */
export interface Space {
  readonly bytes: number;
  /** Undefined where it has no fixed number of them and so counts none. */
  readonly inodes: number | undefined;
}

/** A driver with a store of its own, whose snapshots lie on a file system of their own. */
export interface PlacedDriver {
  /** For the tables. */
  readonly name: string;
  readonly group: Group;
  /** Of the daemon that its file system is; undefined where that is the kernel. */
  readonly daemon: Group | undefined;
  /** tsimg with that store. */
  command(...args: readonly string[]): Invocation;
  /** What `--driver` takes. */
  readonly driver: string;
  /** Writes back all that is dirty, of the store and of the driver. */
  readonly settle: () => Promise<unknown>;
  /** What the driver's file system holds once it has settled. */
  space(): Promise<Space>;
}

export interface PlacesOptions {
  /** Directory on the file system for the stores: databases and blobs. */
  readonly arena: string;
  /** Directory for the files that drivers' file systems are made in. */
  readonly work: string;
  /** Parent of the control groups. */
  readonly group: string;
  readonly disposables: AsyncDisposableStack;
  readonly progress: (line: string) => void;
}

const TSIMG = join(import.meta.dirname, "../../../bin/tsimg");
/** All of the same size, sparse. */
const SIZE = "6G";
const POOL = "bench";
const DRIVERS = ["overlay2", "erofs", "btrfs", "reflink", "zfs", "vfs"] as const;
const ON_POOL = {
  btrfs: { name: "btrfs", kind: "btrfs", driver: `btrfs:${POOL}` },
  reflink: { name: "reflink (xfs)", kind: "xfs", driver: `vfs:${POOL}` },
  zfs: { name: "zfs (FUSE)", kind: "zfs", driver: `zfs:${POOL}` },
} as const;

/** Every driver that this machine can have; one that it can't is reported and left out. */
export async function placeDrivers(options: PlacesOptions): Promise<readonly PlacedDriver[]> {
  const placed: PlacedDriver[] = [];
  await mkdir(join(options.work, "drivers"));
  for (const kind of DRIVERS) {
    const root = join(options.arena, `store-${kind}`);
    try {
      placed.push(
        kind in ON_POOL
          ? await placeOnPool(options, root, kind as keyof typeof ON_POOL)
          : await placeOnExt4(options, root, kind),
      );
    } catch (error) {
      options.progress(`${kind} is left out: ${(error as Error).message}`);
    }
  }
  return placed;
}

/** Its directory on a fresh ext4, which the configuration names. */
async function placeOnExt4(
  { arena, work, group }: PlacesOptions,
  root: string,
  kind: string,
): Promise<PlacedDriver> {
  const place = join(work, "drivers", kind);
  await mkdir(place);
  await outputOf(["truncate", "-s", SIZE, `${place}.img`]);
  // Without "lazy", so that the kernel doesn't go on formatting while we measure.
  const eager = ["-E", "lazy_itable_init=0,lazy_journal_init=0"];
  await outputOf(["mkfs.ext4", "-q", "-F", ...eager, `${place}.img`]);
  await outputOf(["mount", "-o", "loop,noatime,discard", `${place}.img`, place]);
  await writeFile(`${place}.toml`, `[drivers.${kind}]\npath = ${JSON.stringify(place)}\n`);
  const env = { TSIMG_CONFIG: `${place}.toml` };
  return {
    ...{ name: kind, driver: kind, daemon: undefined },
    group: makeGroup(group, `driver-${kind}`),
    command: (...args) => ({ argv: [TSIMG, "--root", root, ...args], env }),
    settle: () => outputOf(["sync", "-f", arena, place]),
    async space() {
      await outputOf(["sync", "-f", place]);
      const { blocks, bfree, bsize, files, ffree } = statfsSync(place);
      return { bytes: (blocks - bfree) * bsize, inodes: files - ffree };
    },
  };
}

/** A pool of tsimg's own in a fresh file. */
async function placeOnPool(
  options: PlacesOptions,
  root: string,
  kind: keyof typeof ON_POOL,
): Promise<PlacedDriver> {
  const { arena, work, group } = options;
  const { name, driver, kind: poolKind } = ON_POOL[kind];
  const daemon = kind === "zfs" ? await startZfs(options) : undefined;
  const file = join(work, "drivers", `${kind}.img`);
  const argv = [TSIMG, "--root", root];
  const create = ["pool", "create", POOL, "--driver", poolKind, "--size", SIZE, "--file", file];
  await outputOf([...argv, ...create]);
  const usage = () => {
    using app = new App({ root });
    const pool = new PoolRows(app.database, app.paths).ready(POOL);
    return keeperOf(pool.kind).usage(pool);
  };
  const directory = join(root, "pools", POOL);
  return {
    ...{ name, driver, daemon },
    group: makeGroup(group, `driver-${kind}`),
    command: (...args) => ({ argv: [...argv, ...args] }),
    settle: () => outputOf(["sync", "-f", arena, directory]),
    async space() {
      await outputOf(["sync", "-f", directory]);
      // What ZFS holds shows when its next group of transactions is through.
      if (kind === "zfs") await unchanging(() => usage().used);
      const { used, inodes } = usage();
      return { bytes: used, inodes: inodes?.used };
    },
  };
}

async function startZfs({ work, group, disposables }: PlacesOptions): Promise<Group> {
  const daemon = makeGroup(group, "zfs-fuse");
  // For its lock: /var/lock leads there, and /run is new in the bench.
  await mkdir("/run/lock", { recursive: true });
  const flags = ["--no-daemon", "--enable-xattr", "--no-kstat-mount"];
  const pidFile = ["--pidfile", join(work, "zfs-fuse.pid")];
  const running = await startDaemon({
    argv: [...daemon.launch, "zfs-fuse", ...flags, ...pidFile],
    log: join(work, "zfs-fuse.log"),
    ready: ["zpool", "list"],
  });
  disposables.use(running);
  return daemon;
}

async function unchanging(read: () => number): Promise<void> {
  let [before, same] = [Number.NaN, 0];
  for (let wait = 0; wait < 30 && same < 3; wait++) {
    await sleep(2000);
    const now = read();
    same = now === before ? same + 1 : 0;
    before = now;
  }
}
