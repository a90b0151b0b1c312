import { posix } from "node:path";
import { parseSize } from "../sizes.ts";
import { csvFields } from "./csv.ts";
import { badMount, checkDestination, isPath, tidyPath } from "./destination.ts";
import {
  isVolumeName,
  type MountRequest,
  PROPAGATIONS,
  VOLUME_NAME_HINT,
} from "./mount-request.ts";
import { tmpfsRequest } from "./tmpfs-flag.ts";

type Type = "bind" | "volume" | "tmpfs";

/** Every key with the one type that it is about, if any; those that may stand alone mean true. */
const KEYS: Readonly<Record<string, { readonly type?: Type; readonly alone?: true }>> = {
  type: {},
  source: {},
  destination: {},
  readonly: { alone: true },
  consistency: {},
  "bind-propagation": { type: "bind" },
  "bind-nonrecursive": { type: "bind", alone: true },
  "bind-recursive": { type: "bind" },
  "volume-nocopy": { type: "volume", alone: true },
  "volume-subpath": { type: "volume" },
  "volume-label": { type: "volume" },
  "volume-driver": { type: "volume" },
  "volume-opt": { type: "volume" },
  "tmpfs-size": { type: "tmpfs" },
  "tmpfs-mode": { type: "tmpfs" },
};

const SHORT: Readonly<Record<string, string>> = {
  src: "source",
  dst: "destination",
  target: "destination",
  ro: "readonly",
};

const TRUE = ["1", "t", "T", "true", "TRUE", "True"];
const FALSE = ["0", "f", "F", "false", "FALSE", "False"];

const RECURSIVE = ["enabled", "disabled", "readonly"];

/** Given keys by their long names; the later of two counts, `volume-label` and the like add up. */
interface Given {
  readonly text: string;
  readonly single: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/**
 * Reads one `--mount type=…,source=…,destination=…`.
 *
 * @throws TsimgError ERR_USAGE naming the key
 */
export function parseMountFlag(text: string): MountRequest {
  const given = readFields(text);
  const type = given.single.get("type")?.toLowerCase() ?? "volume";
  if (type !== "bind" && type !== "volume" && type !== "tmpfs")
    throw badMount(text, `unknown type "${type.slice(0, 64)}"`, "known: bind, volume, tmpfs");
  for (const key of [...given.single.keys(), ...collected(given)]) {
    const about = KEYS[key]?.type;
    if (about !== undefined && about !== type)
      throw badMount(text, `"${key}" is not for type=${type}`, `it is for type=${about}`);
  }
  const target = given.single.get("destination");
  if (target === undefined) throw badMount(text, '"destination" is missing');
  const destination = checkDestination(target, text);
  if (type === "bind") return bind(given, destination);
  return type === "volume" ? volume(given, destination) : tmpfs(given, destination);
}

function collected({ labels, options }: Given): string[] {
  const has = (record: object) => Object.keys(record).length > 0;
  return [...(has(labels) ? ["volume-label"] : []), ...(has(options) ? ["volume-opt"] : [])];
}

function readFields(text: string): Given {
  const fields = csvFields(text);
  if (fields === undefined)
    throw badMount(text, "a quote stands in the wrong place", 'quote a whole field: "dst=/a,b"');
  const single = new Map<string, string>();
  const labels: Record<string, string> = {};
  const options: Record<string, string> = {};
  for (const field of fields) {
    const equals = field.indexOf("=");
    const written = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    const key = Object.hasOwn(SHORT, written) ? (SHORT[written] ?? written) : written;
    if (!Object.hasOwn(KEYS, key))
      throw badMount(text, `unknown key "${written.slice(0, 64)}"`, `known: ${knownKeys()}`);
    if (equals < 0 && KEYS[key]?.alone !== true)
      throw badMount(text, `"${written}" has no value`, `write ${written}=…`);
    const value = equals < 0 ? "true" : field.slice(equals + 1);
    if (value === "") throw badMount(text, `the value of "${written}" is empty`);
    if (key === "volume-label") addPair(labels, value);
    else if (key === "volume-opt") addPair(options, value);
    else single.set(key, value);
  }
  return { text, single, labels, options };
}

function bind({ text, single }: Given, destination: string): MountRequest {
  const source = single.get("source");
  if (source === undefined) throw badMount(text, '"source" is missing');
  if (!/^[./]/.test(source) || !isPath(source))
    throw badMount(
      text,
      `"${source.slice(0, 64)}" is not a path of the host`,
      'write "/…" or "./…"',
    );
  const readonly = flag(text, single, "readonly");
  const propagation = single.get("bind-propagation") ?? "rprivate";
  oneOf(text, "bind-propagation", propagation, PROPAGATIONS);
  const recursive = single.get("bind-recursive") ?? "enabled";
  if (recursive === "writable")
    throw badMount(
      text,
      '"bind-recursive=writable" is not possible here',
      "a read-only bind is read-only with all that is mounted below it",
    );
  oneOf(text, "bind-recursive", recursive, RECURSIVE);
  if (recursive === "readonly" && (!readonly || propagation !== "rprivate"))
    throw badMount(text, '"bind-recursive=readonly" needs "readonly" and no shared propagation');
  return {
    kind: "bind",
    source: source.startsWith("/") ? tidyPath(source) : source,
    destination,
    readonly,
    propagation,
    recursive: recursive !== "disabled" && !flag(text, single, "bind-nonrecursive"),
    makesSource: false,
  };
}

function volume(given: Given, destination: string): MountRequest {
  const { text, single, labels, options } = given;
  const name = single.get("source");
  if (name !== undefined && !isVolumeName(name))
    throw badMount(
      text,
      `"${name.slice(0, 64)}" is no volume name`,
      /^[./]/.test(name) ? "write type=bind for a path of the host" : VOLUME_NAME_HINT,
    );
  const driver = single.get("volume-driver") ?? "local";
  oneOf(text, "volume-driver", driver, ["local"]);
  const readonly = flag(text, single, "readonly");
  const subpath = single.get("volume-subpath");
  if (name === undefined && readonly)
    throw badMount(text, "a new volume without a name can't be read-only: nothing is in it");
  if (name === undefined && subpath !== undefined)
    throw badMount(text, '"volume-subpath" needs the name of a volume');
  const copyUp = !flag(text, single, "volume-nocopy") && subpath === undefined;
  return {
    kind: "volume",
    ...(name !== undefined && { name }),
    destination,
    readonly,
    copyUp,
    ...(subpath !== undefined && { subpath: checkSubpath(subpath, text) }),
    labels,
    options,
  };
}

function checkSubpath(subpath: string, text: string): string {
  const tidy = posix.normalize(subpath).replace(/(?<=.)\/$/, "");
  if (subpath.startsWith("/") || /^\.\.(\/|$)/.test(tidy) || tidy === "." || !isPath(tidy))
    throw badMount(text, `"volume-subpath=${subpath.slice(0, 64)}" is not below the volume`);
  return tidy;
}

function tmpfs({ text, single }: Given, destination: string): MountRequest {
  if (single.has("source")) throw badMount(text, '"source" is not for type=tmpfs');
  const size = single.get("tmpfs-size");
  const mode = single.get("tmpfs-mode");
  if (mode !== undefined && !/^[0-7]{1,5}$/.test(mode))
    throw badMount(text, `"tmpfs-mode=${mode.slice(0, 64)}" is not octal`, "as in tmpfs-mode=1777");
  return tmpfsRequest(destination, [
    ...(flag(text, single, "readonly") ? ["ro"] : []),
    ...(size === undefined ? [] : [`size=${parseSize(size, "tmpfs-size")}`]),
    ...(mode === undefined ? [] : [`mode=${mode}`]),
  ]);
}

function flag(text: string, single: ReadonlyMap<string, string>, key: string): boolean {
  const value = single.get(key) ?? "false";
  oneOf(text, key, value, [...TRUE, ...FALSE]);
  return TRUE.includes(value);
}

function oneOf(text: string, key: string, value: string, allowed: readonly string[]): void {
  if (allowed.includes(value)) return;
  const shown = allowed.includes("True") ? ["true", "false"] : allowed;
  throw badMount(text, `"${key}=${value.slice(0, 64)}" is not known`, `known: ${shown.join(", ")}`);
}

/** `name=value`; the name alone has an empty value. */
function addPair(record: Record<string, string>, text: string): void {
  const equals = text.indexOf("=");
  record[equals < 0 ? text : text.slice(0, equals)] = equals < 0 ? "" : text.slice(equals + 1);
}

function knownKeys(): string {
  return [...Object.keys(KEYS), ...Object.keys(SHORT)].join(", ");
}
