import { join } from "node:path";
import type { Mount } from "../../oci/runtime-spec.ts";

/**
 * One mount of a container's user. It is plain JSON, to be kept with the container:
 * `--volumes-from` takes it over, `inspect` shows it.
 */
export type MountPoint = BindPoint | VolumePoint | TmpfsPoint;

export interface BindPoint {
  readonly type: "bind";
  /** Absolute, on the host. */
  readonly source: string;
  readonly destination: string;
  readonly readonly: boolean;
  /** `rprivate` and so on. */
  readonly propagation: string;
  /** Whether what is mounted below the source comes along. */
  readonly recursive: boolean;
}

export interface VolumePoint {
  readonly type: "volume";
  readonly name: string;
  /** Made for want of a name: it may go with the last container that uses it. */
  readonly anonymous: boolean;
  readonly destination: string;
  readonly readonly: boolean;
  /** Whether the volume, when empty, starts as a copy of what the image has there. */
  readonly copyUp: boolean;
  /** Relative, without `..`: only this part of the volume is shown. */
  readonly subpath?: string;
}

export interface TmpfsPoint {
  readonly type: "tmpfs";
  readonly destination: string;
  readonly options: readonly string[];
}

/** A mount in place of a volume's directory: see src/runtime/volume/local-options.ts. */
export type VolumeMount = Pick<Mount, "type" | "source" | "options">;

/**
 * The mount of the runtime spec.
 *
 * @param volumesDirectory holds the volumes
 * @param ownMount what the volume's own options say that it is, when they do
 */
export function specMount(
  point: MountPoint,
  volumesDirectory: string,
  ownMount: VolumeMount | undefined,
): Mount {
  const { destination } = point;
  if (point.type === "tmpfs")
    return { destination, type: "tmpfs", source: "tmpfs", options: point.options };
  // `rro`: what is mounted below becomes read-only too.
  const guard = point.readonly ? "rro" : "rw";
  if (point.type === "bind") {
    const reach = point.recursive ? "rbind" : "bind";
    const options = [reach, point.propagation, guard];
    return { destination, type: "bind", source: point.source, options };
  }
  if (ownMount !== undefined) {
    const options = point.readonly ? [...ownMount.options, "ro"] : ownMount.options;
    return { ...ownMount, destination, options };
  }
  const data = volumeData(volumesDirectory, point.name);
  const source = point.subpath === undefined ? data : join(data, point.subpath);
  const part = point.subpath === undefined ? [] : [`${SUBPATH}${point.subpath}`];
  return { destination, type: "bind", source, options: ["rbind", "rprivate", guard, ...part] };
}

/**
 * Says how much of a bind's source was in the hands of containers, which may have put links
 * there: the launch resolves that part inside of the rest. Other runtimes would pass it over, and so
 * get no such mounts.
 */
export const SUBPATH = "x-subpath=";

/** Where a volume without options keeps its files. */
export function volumeData(volumesDirectory: string, name: string): string {
  return join(volumesDirectory, name, "_data");
}
