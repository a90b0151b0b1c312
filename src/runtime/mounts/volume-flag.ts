import { badMount, checkDestination, isPath, tidyPath } from "./destination.ts";
import {
  type BindRequest,
  isVolumeName,
  type MountRequest,
  PROPAGATIONS,
  VOLUME_NAME_HINT,
  type VolumeRequest,
} from "./mount-request.ts";

/** Meant for SELinux and for other operating systems: nothing to do here. */
const WITHOUT_EFFECT = ["z", "Z", "cached", "delegated", "consistent"];

const GROUPS: readonly (readonly string[])[] = [
  ["ro", "rw"],
  ["nocopy"],
  ["z", "Z"],
  ["cached", "delegated", "consistent"],
  PROPAGATIONS,
];

/**
 * Reads one `-v [source:]destination[:options]`: a path of the host, the name of a volume, or
 * neither for a new volume.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseVolumeFlag(text: string): MountRequest {
  const parts = text.split(":");
  const [first = "", second, modes] = parts;
  if (parts.length > 3 || parts.includes(""))
    throw badMount(text, "it is not [source:]destination[:options]");
  if (second === undefined) return anonymous(checkDestination(first, text));
  if (!second.startsWith("/") && modes === undefined && isModeList(second))
    throw badMount(text, "a destination with options needs a source");
  const destination = checkDestination(second, text);
  const options = parseModes(modes?.split(",") ?? [], text);
  const readonly = options.includes("ro");
  const propagation = options.find((option) => PROPAGATIONS.includes(option));
  if (first.startsWith("/") || first.startsWith(".")) {
    if (options.includes("nocopy"))
      throw badMount(text, '"nocopy" is about a volume, and this is a path of the host');
    return {
      ...bindOf(first, text),
      destination,
      readonly,
      propagation: propagation ?? "rprivate",
    };
  }
  if (!isVolumeName(first))
    throw badMount(
      text,
      `"${first.slice(0, 64)}" is neither a path nor a volume name`,
      first.includes("/") ? `write "./${first.slice(0, 64)}" for a path` : VOLUME_NAME_HINT,
    );
  if (propagation !== undefined)
    throw badMount(text, `"${propagation}" is about a path of the host, and this is a volume`);
  const copyUp = !options.includes("nocopy");
  return { ...anonymous(destination), name: first, readonly, copyUp };
}

function bindOf(source: string, text: string): Omit<BindRequest, "destination" | "propagation"> {
  if (!isPath(source)) throw badMount(text, "the source is not a path that Linux takes");
  const tidy = source.startsWith("/") ? tidyPath(source) : source;
  return { kind: "bind", source: tidy, readonly: false, recursive: true, makesSource: true };
}

function anonymous(destination: string): VolumeRequest {
  return {
    kind: "volume",
    destination,
    readonly: false,
    copyUp: true,
    labels: {},
    options: {},
  };
}

function isModeList(text: string): boolean {
  return text.split(",").every((option) => GROUPS.some((group) => group.includes(option)));
}

function parseModes(options: readonly string[], text: string): readonly string[] {
  const known = GROUPS.flat();
  const strange = options.find((option) => !known.includes(option));
  if (strange !== undefined)
    throw badMount(
      text,
      `unknown option "${strange.slice(0, 64)}"`,
      `known: ${known.filter((option) => !WITHOUT_EFFECT.includes(option)).join(" ")}`,
    );
  const clash = GROUPS.find((group) => options.filter((it) => group.includes(it)).length > 1);
  if (clash !== undefined)
    throw badMount(text, "options contradict each other", `keep one of ${clash.join(", ")}`);
  return options;
}
