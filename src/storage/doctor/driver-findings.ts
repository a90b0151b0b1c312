import { readFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { tolerating } from "../../sys/errno.ts";
import { TsimgError } from "../../sys/error.ts";
import { packageOf, programPath } from "../../sys/run-program.ts";
import { chooseDriver } from "../choose-driver.ts";
import {
  DRIVER_KINDS,
  type DriverKind,
  formatDriverName,
  parseDriverName,
} from "../driver-name.ts";
import type { DriverSet } from "../driver-set.ts";
import { fileSystemOf } from "../file-system.ts";
import { overlayObstacle } from "../overlay-probe.ts";
import { type Place, POOLS_FOR, placeOf } from "../place.ts";
import { keeperOf } from "../pool/pool-manager.ts";
import { PoolRows } from "../pool/pool-rows.ts";
import type { StorageContext } from "../storage-context.ts";
import { type Finding, reasonOf } from "./finding.ts";
import { tryDriver } from "./try-driver.ts";

export interface DriverReport {
  /** The one that commands use when they name none. */
  readonly chosen: string | undefined;
  readonly findings: readonly Finding[];
}

/** Whether each driver works here, tried out wherever it has a place. */
export function driverFindings(context: StorageContext, drivers: DriverSet): DriverReport {
  const choice = choose(context);
  const findings = DRIVER_KINDS.flatMap((kind) =>
    examineKind(context, drivers, kind, choice.chosen),
  );
  return { chosen: choice.chosen, findings: [...choice.findings, ...findings] };
}

function choose(context: StorageContext): DriverReport {
  try {
    return { chosen: chooseDriver(context), findings: [] };
  } catch (error) {
    return { chosen: undefined, findings: [failure("choice", error)] };
  }
}

function examineKind(
  context: StorageContext,
  drivers: DriverSet,
  kind: DriverKind,
  chosen: string | undefined,
): readonly Finding[] {
  const own = placeOf(context, { kind, pool: undefined }) === undefined ? [] : [kind];
  const pools = new PoolRows(context.database, context.paths)
    .all()
    .filter((pool) => pool.state === "ready" && isNative(kind, pool.kind))
    .map((pool) => formatDriverName({ kind, pool: pool.name }));
  const names = [...new Set([...own, ...pools])];
  if (names.length === 0) return [withoutPlace(context, kind)];
  return names.map((name) => examine(drivers, context, name, name === chosen));
}

/** Every driver of directories can lie on any pool with some: those that are made for it. */
function isNative(kind: DriverKind, pool: (typeof POOLS_FOR)[DriverKind][number]): boolean {
  if (kind === "overlay2") return pool === "ext4";
  if (kind === "erofs") return false;
  return kind === "vfs" ? pool === "xfs" : POOLS_FOR[kind].includes(pool);
}

function examine(
  drivers: DriverSet,
  context: StorageContext,
  name: string,
  isChosen: boolean,
): Finding {
  const suffix = isChosen ? " (the one that is used)" : "";
  try {
    const { kind, pool } = parseDriverName(name);
    const place = placeOf(context, { kind, pool });
    if (kind === "overlay2" || kind === "erofs") requireOverlay(place?.home ?? "", context);
    tryDriver(drivers.get(name), context.paths.view);
    const where = place === undefined ? "" : ` ${whereabouts(place)}`;
    return { area: "driver", name, state: "ok", detail: `works${where}${suffix}` };
  } catch (error) {
    return failure(name, error, suffix);
  }
}

/** What the kernel answers otherwise says nothing about the reason. */
function requireOverlay(home: string, { paths }: StorageContext): void {
  const obstacle = overlayObstacle(home, join(paths.root, "cache"));
  if (obstacle === undefined) return;
  const { type } = fileSystemOf(home);
  throw new TsimgError("ERR_DRIVER", `no overlay can be written to on ${type}: ${obstacle}`, {
    hint: "use a driver without overlays (btrfs, zfs, vfs), or a place on ext4, xfs or btrfs",
  });
}

function whereabouts(place: Place): string {
  if (place.at === "dataset") return `in dataset ${place.dataset}`;
  if (place.at === "pool") return `in ${place.pool.file}`;
  if (place.at === "devices") return `on ${place.data}`;
  return `in ${place.home} on ${fileSystemOf(place.home).type}`;
}

function failure(name: string, error: unknown, suffix = ""): Finding {
  const cure = error instanceof TsimgError ? error.hint : undefined;
  const detail = `${reasonOf(error)}${suffix}`;
  return { area: "driver", name, state: "missing", detail, ...(cure !== undefined && { cure }) };
}

function withoutPlace({ paths }: StorageContext, kind: DriverKind): Finding {
  const pool = POOLS_FOR[kind][0] ?? "btrfs";
  const base = { area: "driver", name: kind, state: "missing" } as const;
  if (kind === "btrfs" && !kernelHas("btrfs"))
    return {
      ...base,
      detail: "this kernel has no btrfs",
      cure: "use a kernel with CONFIG_BTRFS_FS",
    };
  const packages = keeperOf(pool)
    .programs.filter((program) => programPath(program) === undefined)
    .map((program) => packageOf(program) ?? program);
  if (packages.length > 0)
    return {
      ...base,
      detail: "has no place, and programs are missing to make one",
      cure: `install Debian's ${[...new Set(packages)].join(" and ")}`,
    };
  try {
    keeperOf(pool).requireWorking?.();
  } catch (error) {
    return failure(kind, error);
  }
  return {
    ...base,
    detail: `has no place: '${paths.root}' is on ${fileSystemOf(paths.root).type}, there is no pool`,
    cure: `tsimg pool create NAME --driver ${pool} --size 20G`,
  };
}

/** Built in or loaded, or a module that mount(2) loads when it is needed. */
function kernelHas(fileSystem: string): boolean {
  const known = readFileSync("/proc/filesystems", "utf8").split(/\s+/).includes(fileSystem);
  if (known) return true;
  const modules = tolerating(["ENOENT"], () =>
    readFileSync(`/lib/modules/${release()}/modules.dep`, "utf8"),
  );
  return modules?.includes(`/${fileSystem}.ko`) === true;
}
