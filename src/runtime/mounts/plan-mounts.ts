import { resolve } from "node:path";
import type { Mount } from "../../oci/runtime-spec.ts";
import { TsimgError } from "../../sys/error.ts";
import { byDepth } from "./default-mounts.ts";
import { isPath, tidyPath } from "./destination.ts";
import { parseMountFlag } from "./mount-flag.ts";
import type { MountFlags } from "./mount-flags.ts";
import { type MountPoint, specMount, type VolumeMount } from "./mount-point.ts";
import type { MountRequest, TmpfsRequest, VolumeRequest } from "./mount-request.ts";
import { parseTmpfsFlag } from "./tmpfs-flag.ts";
import { parseVolumeFlag } from "./volume-flag.ts";
import { inherited, parseVolumesFrom } from "./volumes-from.ts";

export interface MountPlanInput {
  readonly flags: MountFlags;
  /** Paths that the image declares as volumes. */
  readonly imageVolumes: readonly string[];
  /** What a container of `--volumes-from` has mounted. @throws when there is no such container */
  readonly pointsOf: (container: string) => readonly MountPoint[];
  /** What a volume is by its options, existing or to be made of these; undefined: a directory. */
  readonly volumeMount: (
    name: string,
    options: Readonly<Record<string, string>>,
  ) => VolumeMount | undefined;
  /** Absolute: holds the volumes. */
  readonly volumesDirectory: string;
  /** Absolute: what `./x` starts from. */
  readonly workingDirectory: string;
  /** A name for a volume that has none: 64 hexadecimal digits. */
  readonly newName: () => string;
}

/** A volume that the container needs; made when it isn't there. */
export interface PlannedVolume {
  readonly name: string;
  readonly anonymous: boolean;
  /** In the container. */
  readonly destination: string;
  readonly copyUp: boolean;
  readonly subpath?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

export interface MountPlan {
  /** For the runtime spec: parents before children. */
  readonly mounts: readonly Mount[];
  /** To be kept with the container; those of `--tmpfs` aren't among them. */
  readonly points: readonly MountPoint[];
  readonly volumes: readonly PlannedVolume[];
  /** Paths of the host that become directories when nothing is there. */
  readonly directories: readonly string[];
  /** Paths of the host where something must be. */
  readonly required: readonly string[];
}

/**
 * Joins the flags of a container, what its image declares and what it takes over from other
 * containers into one list of mounts.
 *
 * What stands at one place: `--volumes-from` gives way to `-v`, `--mount` and `--tmpfs`, of
 * which no two may name one place; the image's volumes, and those of `-v` without a source,
 * are made where nothing else is. Of two containers of `--volumes-from` the later counts.
 *
 * @throws TsimgError ERR_USAGE, ERR_CONFIG_INVALID; what `pointsOf` throws
 */
export function planMounts(input: MountPlanInput): MountPlan {
  const { flags } = input;
  checkDriver(flags.volumeDriver);
  const flagged = flags.volume.map(parseVolumeFlag);
  const sourceless = flagged.filter((it) => it.kind === "volume" && it.name === undefined);
  const chosen = [
    ...flagged.filter((request) => !sourceless.includes(request)),
    ...flags.mount.map(parseMountFlag),
  ];
  const temporary = flags.tmpfs.map(parseTmpfsFlag);
  refuseTwice([...chosen, ...temporary]);
  const taken = new Set([...chosen, ...temporary].map(({ destination }) => destination));
  const others = takenOver(input).filter(({ destination }) => !taken.has(destination));
  for (const { destination } of others) taken.add(destination);
  const declared = [
    ...sourceless.map(({ destination }) => destination),
    ...input.imageVolumes.map(imageVolume),
  ].filter((destination) => !taken.has(destination));
  const own = [...chosen, ...[...new Set(declared)].map(declaredVolume)];
  return assemble(input, others, own, temporary);
}

function assemble(
  input: MountPlanInput,
  others: readonly MountPoint[],
  own: readonly MountRequest[],
  temporary: readonly TmpfsRequest[],
): MountPlan {
  const made = own.map((request) => ({ request, point: pointOf(request, input) }));
  const points = [...others, ...made.map(({ point }) => point)];
  const volumes = [
    ...others.flatMap((point) => planned(point, undefined)),
    ...made.flatMap(({ request, point }) => planned(point, request)),
  ];
  const specialOf = (point: MountPoint) => {
    if (point.type !== "volume") return undefined;
    const options = volumes.find(({ destination }) => destination === point.destination)?.options;
    const special = input.volumeMount(point.name, options ?? {});
    if (special !== undefined && point.subpath !== undefined)
      throw new TsimgError("ERR_USAGE", `volume '${point.name}' has options: it has no subpath`);
    return special;
  };
  const all = [...points, ...temporary.map((request) => pointOf(request, input))];
  const sources = (makesSource: boolean) =>
    made.flatMap(({ request, point }) =>
      request.kind === "bind" && point.type === "bind" && request.makesSource === makesSource
        ? [point.source]
        : [],
    );
  return {
    mounts: byDepth(all.map((point) => specMount(point, input.volumesDirectory, specialOf(point)))),
    points,
    volumes,
    directories: sources(true),
    required: sources(false),
  };
}

function pointOf(request: MountRequest, input: MountPlanInput): MountPoint {
  const { destination } = request;
  if (request.kind === "tmpfs") return { type: "tmpfs", destination, options: request.options };
  const { readonly } = request;
  if (request.kind === "bind") {
    const { propagation, recursive } = request;
    const source = resolve(input.workingDirectory, request.source);
    return { type: "bind", source, destination, readonly, propagation, recursive };
  }
  const { name = input.newName(), copyUp, subpath } = request;
  const anonymous = request.name === undefined;
  const part = subpath === undefined ? {} : { subpath };
  return { type: "volume", name, anonymous, destination, readonly, copyUp, ...part };
}

function planned(point: MountPoint, request: MountRequest | undefined): readonly PlannedVolume[] {
  if (point.type !== "volume") return [];
  const { name, anonymous, destination, copyUp, subpath } = point;
  const { labels, options } = request?.kind === "volume" ? request : { labels: {}, options: {} };
  const part = subpath === undefined ? {} : { subpath };
  return [{ name, anonymous, destination, copyUp, ...part, labels, options }];
}

/** The later of two containers counts where both have something. */
function takenOver({ flags, pointsOf }: MountPlanInput): readonly MountPoint[] {
  const found = new Map<string, MountPoint>();
  for (const text of flags.volumesFrom) {
    const { container, readonly } = parseVolumesFrom(text);
    for (const point of pointsOf(container))
      found.set(point.destination, inherited(point, readonly));
  }
  return [...found.values()];
}

function declaredVolume(destination: string): VolumeRequest {
  const plain = { readonly: false, copyUp: true, labels: {}, options: {} };
  return { kind: "volume", destination, ...plain };
}

function imageVolume(text: string): string {
  const path = tidyPath(`/${text}`);
  if (path !== "/" && isPath(path)) return path;
  throw new TsimgError("ERR_CONFIG_INVALID", `the image declares a volume "${text.slice(0, 64)}"`, {
    hint: 'a volume is a directory below "/": build the image anew',
  });
}

function refuseTwice(requests: readonly MountRequest[]): void {
  const seen = new Set<string>();
  for (const { destination } of requests) {
    if (seen.has(destination))
      throw new TsimgError("ERR_USAGE", `two mounts for "${destination}"`, {
        hint: "keep one of the -v, --mount and --tmpfs flags that name it",
      });
    seen.add(destination);
  }
}

function checkDriver(driver: string | undefined): void {
  if (driver === undefined || driver === "local") return;
  throw new TsimgError("ERR_USAGE", `unknown volume driver "${driver.slice(0, 64)}"`, {
    hint: "there is only the driver local",
  });
}
