import { join, posix } from "node:path";
import type { Mount } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";

/** A directory of the host, or one kept by tsimg under a name. */
export type VolumeSource =
  | { readonly kind: "bind"; readonly path: string }
  | { readonly kind: "named"; readonly name: string };

export interface Volume {
  readonly source: VolumeSource;
  /** Absolute and without `..`, never "/". */
  readonly destination: string;
  readonly readonly: boolean;
  readonly propagation: string;
  /** Whether a new named volume starts as a copy of what the image has at the destination. */
  readonly copyUp: boolean;
}

/** What must be on the host before the container starts: a directory, made when missing. */
export interface VolumeDirectory {
  readonly path: string;
  readonly source: VolumeSource;
  readonly destination: string;
  readonly copyUp: boolean;
}

const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/;

const PROPAGATIONS = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/** Meant for SELinux and for other operating systems: nothing to do here. */
const WITHOUT_EFFECT = ["z", "Z", "cached", "delegated", "consistent"];

/**
 * Reads one `-v source:destination[:options]`.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseVolume(text: string): Volume {
  const parts = text.split(":");
  const [source = "", destination = "", options] = parts;
  if (parts.length === 1) {
    throw badVolume(text, "a source is missing", `write -v NAME:${source.slice(0, 64)}`);
  }
  if (parts.length > 3 || source === "" || destination === "" || options === "") {
    throw badVolume(text, "it is not source:destination[:options]", EXAMPLE);
  }
  return {
    source: parseSource(source, text),
    destination: checkDestination(destination, text),
    ...parseOptions(options?.split(",") ?? [], text),
  };
}

/** The mount that shows a volume in the container; `rro` makes what is mounted below it read-only too. */
export function volumeMount(volume: Volume, volumesDirectory: string): Mount {
  return {
    destination: volume.destination,
    type: "bind",
    source: volumePath(volume.source, volumesDirectory),
    options: ["rbind", volume.propagation, volume.readonly ? "rro" : "rw"],
  };
}

/** What the caller makes before the container starts; existing ones are left alone. */
export function volumeDirectory(volume: Volume, volumesDirectory: string): VolumeDirectory {
  const { source, destination, copyUp } = volume;
  return { path: volumePath(source, volumesDirectory), source, destination, copyUp };
}

function volumePath(source: VolumeSource, volumesDirectory: string): string {
  return source.kind === "bind" ? source.path : join(volumesDirectory, source.name, "_data");
}

function parseSource(source: string, text: string): VolumeSource {
  if (source.startsWith("/")) return { kind: "bind", path: posix.normalize(source) };
  if (VOLUME_NAME.test(source)) return { kind: "named", name: source };
  throw badVolume(
    text,
    `"${source.slice(0, 64)}" is neither an absolute path nor a volume name`,
    source.startsWith(".") || source.includes("/")
      ? `write "$PWD/${source.replace(/^\.\//, "").slice(0, 64)}" for a path`
      : "a volume name has letters, digits, and _ . - inside",
  );
}

/**
 * Where a mount goes in the container, tidied.
 *
 * @param text the whole flag, for the message
 */
export function checkDestination(destination: string, text: string): string {
  if (!destination.startsWith("/")) {
    throw badVolume(text, `"${destination.slice(0, 64)}" is not an absolute path`, EXAMPLE);
  }
  const tidy = posix.normalize(destination).replace(/(?<=.)\/$/, "");
  if (tidy === "/") {
    throw badVolume(text, 'the destination can\'t be "/"', "choose a directory below it");
  }
  if (text.includes("\0") || tidy.length > 4095) {
    throw badVolume(text, "the path is not one that Linux takes", EXAMPLE);
  }
  return tidy;
}

function parseOptions(
  options: readonly string[],
  text: string,
): Pick<Volume, "readonly" | "propagation" | "copyUp"> {
  const known = ["ro", "rw", "nocopy", ...WITHOUT_EFFECT, ...PROPAGATIONS];
  const strange = options.find((option) => !known.includes(option));
  if (strange !== undefined) {
    throw badVolume(text, `unknown option "${strange.slice(0, 64)}"`, `known: ${known.join(" ")}`);
  }
  const propagations = options.filter((option) => PROPAGATIONS.includes(option));
  if (propagations.length > 1 || (options.includes("ro") && options.includes("rw"))) {
    throw badVolume(text, "options contradict each other", "keep one of them");
  }
  return {
    readonly: options.includes("ro"),
    propagation: propagations[0] ?? "rprivate",
    copyUp: !options.includes("nocopy"),
  };
}

const EXAMPLE = "as in -v /srv/data:/data:ro";

function badVolume(text: string, what: string, hint: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid mount "${text.slice(0, 256)}": ${what}`, { hint });
}
