import { TsimgError } from "../../sys/error.ts";
import type { MountPoint } from "./mount-point.ts";

export interface VolumesFrom {
  /** Name or ID. */
  readonly container: string;
  /** Whether what is taken over can't be written to. */
  readonly readonly: boolean;
}

const WITHOUT_EFFECT = ["z", "Z"];

/**
 * Reads one `--volumes-from container[:ro|rw]`.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseVolumesFrom(text: string): VolumesFrom {
  const colon = text.indexOf(":");
  const container = colon < 0 ? text : text.slice(0, colon);
  const modes = colon < 0 ? [] : text.slice(colon + 1).split(",");
  const wrong = modes.find((mode) => !["ro", "rw", ...WITHOUT_EFFECT].includes(mode));
  const clash = modes.includes("ro") && modes.includes("rw");
  if (container !== "" && wrong === undefined && !clash)
    return { container, readonly: modes.includes("ro") };
  throw new TsimgError("ERR_USAGE", `invalid value "${text.slice(0, 256)}" of --volumes-from`, {
    hint: "write a container, and :ro or :rw behind it if you like",
  });
}

/** The mount of another container, as a new one takes it over: never with a copy of its image. */
export function inherited(point: MountPoint, readonly: boolean): MountPoint {
  if (point.type === "tmpfs") return point;
  const guarded = { ...point, readonly: point.readonly || readonly };
  return guarded.type === "volume" ? { ...guarded, copyUp: false } : guarded;
}
