import { isAbsolute } from "node:path";
import { TsimgError } from "../sys/error.ts";
import { DRIVER_KINDS, type DriverKind } from "./driver-name.ts";

/** Where a driver lies that needs only a directory. */
export interface DirectoryConfig {
  /** Absolute; the driver makes a directory of its own name there. */
  readonly path?: string;
  readonly pool?: string;
}

export interface BtrfsConfig extends DirectoryConfig {
  readonly quota?: boolean;
}

export interface ZfsConfig {
  /** Parent of the snapshots' datasets, such as `tank/tsimg`. */
  readonly dataset?: string;
  readonly pool?: string;
  readonly properties?: Readonly<Record<string, string>>;
}

export interface DeviceMapperConfig {
  readonly pool?: string;
  readonly data_device?: string;
  readonly metadata_device?: string;
  readonly filesystem?: "ext4" | "xfs";
  /** Of one snapshot's device, as in `10G`. */
  readonly size?: string;
}

/** What the configuration files say. A driver that none of them names has an empty section. */
export interface Config {
  readonly driver?: string;
  readonly drivers: {
    readonly overlay2: DirectoryConfig;
    readonly erofs: DirectoryConfig;
    readonly vfs: DirectoryConfig;
    readonly btrfs: BtrfsConfig;
    readonly zfs: ZfsConfig;
    readonly devicemapper: DeviceMapperConfig;
  };
}

type Kind = "text" | "path" | "flag" | "texts" | "filesystem";

const DIRECTORY = { path: "path", pool: "text" } as const;

const SECTIONS: Readonly<Record<DriverKind, Readonly<Record<string, Kind>>>> = {
  overlay2: DIRECTORY,
  erofs: DIRECTORY,
  vfs: DIRECTORY,
  btrfs: { ...DIRECTORY, quota: "flag" },
  zfs: { dataset: "text", pool: "text", properties: "texts" },
  devicemapper: {
    pool: "text",
    data_device: "path",
    metadata_device: "path",
    filesystem: "filesystem",
    size: "text",
  },
};

/** Keys that say where a driver lies: a section has one of them, or both devices. */
const PLACES = ["path", "pool", "dataset", "data_device"];

export const NO_CONFIG: Config = {
  drivers: { overlay2: {}, erofs: {}, vfs: {}, btrfs: {}, zfs: {}, devicemapper: {} },
};

/**
 * Checks what a configuration file says.
 *
 * @param document the file, parsed
 * @throws TsimgError ERR_USAGE naming the file, the key and what may stand there
 */
export function parseConfig(document: unknown, file: string): Config {
  const top = tableOf(document, file, "");
  checkKeys(top, ["driver", "drivers"], file, "");
  const driver = top["driver"];
  if (driver !== undefined && typeof driver !== "string") throw wrong(file, "driver", "a text");
  const sections = tableOf(top["drivers"] ?? {}, file, "drivers");
  checkKeys(sections, DRIVER_KINDS, file, "drivers.");
  const drivers = Object.fromEntries(
    DRIVER_KINDS.map((kind) => [kind, parseSection(sections[kind] ?? {}, kind, file)]),
  ) as unknown as Config["drivers"];
  return { ...(driver !== undefined && { driver }), drivers };
}

/** What `over` says stands; a driver's section replaces that of `base` as a whole. */
export function mergeConfigs(base: Config, over: Config): Config {
  const drivers = Object.fromEntries(
    DRIVER_KINDS.map((kind) => {
      const section = over.drivers[kind];
      return [kind, Object.keys(section).length > 0 ? section : base.drivers[kind]];
    }),
  ) as unknown as Config["drivers"];
  return { ...base, ...over, drivers };
}

function parseSection(value: unknown, kind: DriverKind, file: string): object {
  const prefix = `drivers.${kind}`;
  const section = tableOf(value, file, prefix);
  const known = SECTIONS[kind];
  checkKeys(section, Object.keys(known), file, `${prefix}.`);
  for (const [key, each] of Object.entries(section))
    checkValue(each, known[key] ?? "text", file, `${prefix}.${key}`);
  const places = PLACES.filter((key) => key in section);
  if (places.length > 1)
    throw new TsimgError(
      "ERR_USAGE",
      `config file '${file}' has both '${prefix}.${places[0]}' and '${prefix}.${places[1]}'`,
      { hint: "a driver lies in one place: leave one of them out" },
    );
  if ("data_device" in section !== "metadata_device" in section)
    throw new TsimgError("ERR_USAGE", `config file '${file}' has one device in [${prefix}]`, {
      hint: "a pool needs both data_device and metadata_device",
    });
  return section;
}

function checkValue(value: unknown, kind: Kind, file: string, key: string): void {
  if (kind === "flag" && typeof value !== "boolean") throw wrong(file, key, "true or false");
  if (kind === "flag") return;
  if (kind === "texts") {
    const entries = Object.entries(tableOf(value, file, key));
    for (const [name, each] of entries)
      if (typeof each !== "string") throw wrong(file, `${key}.${name}`, "a text, in quotes");
    return;
  }
  if (typeof value !== "string" || value === "" || value.includes("\0"))
    throw wrong(file, key, "a text, in quotes");
  if (kind === "path" && !isAbsolute(value)) throw wrong(file, key, "an absolute path");
  if (kind === "filesystem" && value !== "ext4" && value !== "xfs")
    throw wrong(file, key, `"ext4" or "xfs"`);
}

function tableOf(value: unknown, file: string, key: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Date)
    throw wrong(file, key, "a table");
  return value as Readonly<Record<string, unknown>>;
}

function checkKeys(
  table: Readonly<Record<string, unknown>>,
  known: readonly string[],
  file: string,
  prefix: string,
): void {
  const unknown = Object.keys(table).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new TsimgError(
    "ERR_USAGE",
    `config file '${file}' has an unknown key '${prefix}${unknown}'`,
    { hint: `known are ${known.map((key) => `${prefix}${key}`).join(", ")}` },
  );
}

function wrong(file: string, key: string, expected: string): TsimgError {
  return new TsimgError("ERR_USAGE", `config file '${file}': '${key}' is not ${expected}`, {
    hint: "docs/configuration.md shows a whole file",
  });
}
