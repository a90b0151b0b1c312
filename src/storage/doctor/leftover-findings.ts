import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "../../store/process-identity.ts";
import { tolerating } from "../../sys/errno.ts";
import { DRIVER_KINDS } from "../driver-name.ts";
import type { DriverSet } from "../driver-set.ts";
import { poolsDirectory } from "../pool/pool.ts";
import { PoolRows } from "../pool/pool-rows.ts";
import type { StorageContext } from "../storage-context.ts";
import { type Finding, reasonOf } from "./finding.ts";

/** What a store's root holds beside its drivers' directories. */
const OF_THE_STORE = [
  "content",
  "containers",
  "volumes",
  "cache",
  "view",
  "pools",
  "run",
  "mounts",
  "bench",
];

/** The next command that collects does away with these. */
const COLLECT = "tsimg rmi, or the next pull, clears it up";

/** What crashes left, and what nobody seems to need. Nothing is changed. */
export function leftoverFindings(context: StorageContext, drivers: DriverSet): readonly Finding[] {
  return [
    ...halfMadePools(context),
    ...halfMadeSnapshots(context),
    ...differences(context, drivers),
    ...staleDirectories(context),
    ...unknownEntries(context),
    ...lostLoopDevices(context),
    ...deadBenches(context),
  ];
}

function halfMadePools({ database, paths }: StorageContext): readonly Finding[] {
  return new PoolRows(database, paths)
    .abandoned()
    .map(({ name, state }) =>
      leftover(`pool ${name}`, `${state}, by a process that is gone`, "tsimg pool ls undoes it"),
    );
}

function halfMadeSnapshots({ database }: StorageContext): readonly Finding[] {
  const dead = database
    .all<{ id: string; driver: string; state: string; owner: string | null }>(
      "select id, driver, state, owner from snapshots where state != 'ready'",
    )
    .filter(({ owner }) => owner === null || !isAlive(owner));
  return dead.map(({ id, driver, state }) =>
    leftover(
      `snapshot ${id.slice(0, 12)}`,
      `${state} in ${driver}, by a process that is gone`,
      COLLECT,
    ),
  );
}

/** Where drivers and database disagree. */
function differences({ database }: StorageContext, drivers: DriverSet): readonly Finding[] {
  const rows = database.all<{ id: string; driver: string; state: string }>(
    "select id, driver, state from snapshots",
  );
  const known = new Set<string>(rows.map(({ id }) => id));
  return drivers.present().flatMap((driver) => {
    try {
      const there = new Set<string>(driver.list());
      const unknown = [...there].filter((id) => !known.has(id));
      const lost = rows.filter(
        (row) => row.driver === driver.name && row.state === "ready" && !there.has(row.id),
      );
      return [
        ...(unknown.length === 0
          ? []
          : [leftover(driver.name, `${unknown.length} snapshots that no row names`, COLLECT)]),
        ...(lost.length === 0
          ? []
          : [
              leftover(
                driver.name,
                `${lost.length} snapshots are gone from ${driver.home}`,
                "has the configuration of the driver changed? Else remove and pull those images",
              ),
            ]),
      ];
    } catch (error) {
      return [leftover(driver.name, `can't be listed: ${reasonOf(error)}`)];
    }
  });
}

function staleDirectories({ database, paths }: StorageContext): readonly Finding[] {
  const containers = database.all<{ id: string }>("select id from containers");
  const ids = new Set(containers.map(({ id }) => id));
  return [paths.containers, paths.runRoot].flatMap((directory) =>
    namesIn(directory)
      .filter((name) => /^[0-9a-f]{64}$/.test(name) && !ids.has(name))
      .map((name) =>
        leftover(
          join(directory, name),
          "of a container that is gone",
          `rm -r ${join(directory, name)}`,
        ),
      ),
  );
}

function unknownEntries({ database, paths }: StorageContext): readonly Finding[] {
  const pools = new PoolRows(database, paths).all();
  const files = pools.flatMap(({ name }) => [name, `${name}.img`, `${name}.img.meta`]);
  const ours = (name: string): boolean =>
    [...OF_THE_STORE, ...DRIVER_KINDS].includes(name) || name.startsWith("tsimg.db");
  const inRoot = namesIn(paths.root).filter((name) => !ours(name));
  const inPools = namesIn(poolsDirectory(paths)).filter((name) => !files.includes(name));
  return [
    ...inRoot.map((name) => join(paths.root, name)),
    ...inPools.map((name) => join(poolsDirectory(paths), name)),
  ].map((path) => leftover(path, "is nothing of tsimg's"));
}

/** Loop devices over a file of this store that was deleted: its space is still taken. */
function lostLoopDevices({ paths }: StorageContext): readonly Finding[] {
  return namesIn("/sys/block").flatMap((name) => {
    if (!name.startsWith("loop")) return [];
    const file = tolerating(["ENOENT", "ENXIO"], () =>
      readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8").trimEnd(),
    );
    if (file === undefined || !file.startsWith(`${paths.root}/`)) return [];
    if (!file.endsWith(" (deleted)")) return [];
    return [leftover(`/dev/${name}`, `holds ${file}`, `unmount it, then losetup -d /dev/${name}`)];
  });
}

/** What a bench makes that it has no time to take away when it is killed. */
function deadBenches({ paths }: StorageContext): readonly Finding[] {
  const all = join(paths.root, "bench");
  return namesIn(all).flatMap((name) => {
    const owner = tolerating(["ENOENT"], () => readFileSync(join(all, name, "owner"), "latin1"));
    if (owner === undefined || isAlive(owner)) return [];
    const what = "pools and images of a bench that was killed";
    return [leftover(join(all, name), what, "the next tsimg bench removes them")];
  });
}

function leftover(name: string, detail: string, cure?: string): Finding {
  return {
    area: "leftover",
    name,
    state: "note",
    detail,
    ...(cure !== undefined && { cure }),
  };
}

function namesIn(directory: string): readonly string[] {
  return tolerating(["ENOENT", "ENOTDIR"], () => readdirSync(directory)) ?? [];
}
