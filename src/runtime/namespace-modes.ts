import type { Namespace, NamespaceType } from "../oci/runtime-spec.ts";
import { TsimgError } from "../sys/error.ts";
import { parseTimeOffsets, type TimeOffsets } from "./time-offsets.ts";

/** Whose namespace a container has. */
export type NamespaceMode =
  /** A new one. */
  | { readonly kind: "private" }
  | { readonly kind: "host" }
  /** Another container's, by name or ID. */
  | { readonly kind: "container"; readonly container: string };

export type IpcMode =
  | NamespaceMode
  /** A new one, without /dev/shm. */
  | { readonly kind: "none" }
  /** A new one that other containers may join. */
  | { readonly kind: "shareable" };

/** `--ipc`: none, private (the default), shareable, host or container:ID. @throws ERR_USAGE */
export function parseIpcMode(text: string | undefined): IpcMode {
  if (text === "none" || text === "shareable") return { kind: text };
  const modes = ["none", "private", "shareable", "host", "container:ID"];
  return parseMode(text, "--ipc", modes);
}

/** `--pid`: private (the default), host or container:ID. @throws ERR_USAGE */
export function parsePidMode(text: string | undefined): NamespaceMode {
  return parseMode(text, "--pid", ["private", "host", "container:ID"]);
}

/**
 * `--uts`: private (the default), host or container:ID.
 *
 * @param hostname what `--hostname` gives: the host's name is not a container's to change
 * @throws TsimgError ERR_USAGE
 */
export function parseUtsMode(text: string | undefined, hostname?: string): NamespaceMode {
  const mode = parseMode(text, "--uts", ["private", "host", "container:ID"]);
  if (mode.kind !== "private" && hostname !== undefined) {
    const whose = mode.kind === "host" ? "host" : "container:";
    throw new TsimgError("ERR_USAGE", `--hostname can't be set with --uts ${whose}`, {
      hint: "leave out one of them: whoever has another's names has its host name",
    });
  }
  return mode;
}

/** `--cgroupns`: private (the default) or host. @throws ERR_USAGE */
export function parseCgroupMode(text: string | undefined): NamespaceMode {
  return parseMode(text, "--cgroupns", ["private", "host"]);
}

/** Whose clocks a container has: the host's, another container's, or its own, so far ahead. */
export type TimeMode = Exclude<NamespaceMode, { readonly kind: "private" }> | OwnClocks;

interface OwnClocks {
  readonly kind: "private";
  readonly offsets: TimeOffsets;
}

/**
 * `--time`: the offsets of a new namespace's clocks, host (the default) or container:ID.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseTimeMode(text: string | undefined): TimeMode {
  if (text === undefined || text === "" || text === "host") return { kind: "host" };
  const [, container] = /^container:(.+)$/s.exec(text) ?? [];
  if (container !== undefined) return { kind: "container", container };
  return { kind: "private", offsets: parseTimeOffsets(text) };
}

/** Names of a namespace's file in /proc/PID/ns where they differ from the runtime spec's. */
const FILES: Readonly<Partial<Record<NamespaceType, string>>> = { network: "net", mount: "mnt" };

/**
 * A mode as an entry of `linux.namespaces`; undefined for the host's, which has none.
 *
 * @param pidOf the first process of a running container; throws for one that doesn't run
 */
export function namespaceOf(
  type: NamespaceType,
  mode: IpcMode,
  pidOf: (container: string) => number,
): Namespace | undefined {
  if (mode.kind === "host") return undefined;
  if (mode.kind !== "container") return { type };
  return { type, path: `/proc/${pidOf(mode.container)}/ns/${FILES[type] ?? type}` };
}

function parseMode(
  text: string | undefined,
  flag: string,
  modes: readonly string[],
): NamespaceMode {
  if (text === undefined || text === "" || text === "private") return { kind: "private" };
  if (text === "host") return { kind: "host" };
  const [, container] = /^container:(.+)$/s.exec(text) ?? [];
  if (container !== undefined && modes.includes("container:ID")) {
    return { kind: "container", container };
  }
  throw new TsimgError("ERR_USAGE", `invalid value "${text.slice(0, 128)}" for ${flag}`, {
    hint: `choose ${modes.slice(0, -1).join(", ")} or ${modes.at(-1)}`,
  });
}
