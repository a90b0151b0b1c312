import { TsimgError } from "../../sys/error.ts";
import { isVolumeName, VOLUME_NAME_HINT } from "../mounts/mount-request.ts";

/** One volume that is ready to be used. */
export interface Volume {
  readonly name: string;
  readonly driver: string;
  /** Made for want of a name. */
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** The local driver's: see local-options.ts. */
  readonly options: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly created: string;
}

/** A volume to be made. */
export interface VolumeWish {
  readonly name: string;
  readonly anonymous: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** A volume as the database keeps it. */
export interface VolumeRow {
  readonly name: string;
  readonly driver: string;
  readonly anonymous: number;
  readonly state: "creating" | "ready" | "removing";
  /** Identity of the process that makes or removes it. */
  readonly owner: string | null;
  /** JSON. */
  readonly labels: string;
  /** JSON. */
  readonly options: string;
  readonly created: string;
}

export function volumeOf(row: VolumeRow): Volume {
  return {
    name: row.name,
    driver: row.driver,
    anonymous: row.anonymous === 1,
    labels: JSON.parse(row.labels) as Record<string, string>,
    options: JSON.parse(row.options) as Record<string, string>,
    created: row.created,
  };
}

/** @throws TsimgError ERR_USAGE */
export function checkVolumeName(name: string): void {
  if (isVolumeName(name)) return;
  throw new TsimgError("ERR_USAGE", `invalid volume name '${name.slice(0, 64)}'`, {
    hint: VOLUME_NAME_HINT,
  });
}
