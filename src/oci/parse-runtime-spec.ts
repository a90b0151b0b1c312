import {
  asArray,
  asInteger,
  asObject,
  asString,
  type JsonObject,
  member,
  optional,
  type Place,
  parseJsonObject,
} from "./document.ts";
import { parseHooks } from "./parse-hooks.ts";
import type { CapabilitySets, Linux, Mount, Process, Root, Spec, User } from "./runtime-spec.ts";

const MAX_SIZE = 8 * 1024 * 1024;
const MAX_LIST = 10_000;
const MAX_ID = 2 ** 32 - 1;

/**
 * Reads a bundle's `config.json` that another program wrote. What it may leave out is filled
 * in; members that tsimg doesn't know are kept for whoever reads the spec after us.
 *
 * @throws TsimgError ERR_CONFIG_INVALID naming the member
 * @see OCI runtime-spec 1.2, config.md
 */
export function parseRuntimeSpec(bytes: Uint8Array): Spec {
  const place: Place = { what: "config.json:", code: "ERR_CONFIG_INVALID" };
  const object = parseJsonObject(bytes, MAX_SIZE, { ...place, what: "config.json" });
  const list = <T>(key: string, parse: (value: unknown, place: Place) => T) =>
    optional(object, key, place, (value, at) => parseList(value, at, parse)) ?? [];
  return {
    ...object,
    ociVersion: asString(object["ociVersion"], member(place, "ociVersion")),
    root: parseRoot(object["root"], member(place, "root")),
    process: parseProcess(object["process"], member(place, "process")),
    mounts: list("mounts", parseMount),
    linux: parseLinux(object["linux"] ?? {}, member(place, "linux")),
    hooks: optional(object, "hooks", place, parseHooks) ?? {},
  };
}

/** A `process` alone, as `exec --process` is given it. */
export function parseProcessFile(bytes: Uint8Array): Process {
  const place: Place = { what: "process:", code: "ERR_CONFIG_INVALID" };
  return parseProcess(parseJsonObject(bytes, MAX_SIZE, { ...place, what: "process" }), place);
}

function parseRoot(value: unknown, place: Place): Root {
  const object = asObject(value, place);
  return {
    path: asString(object["path"], member(place, "path")),
    readonly: object["readonly"] === true,
  };
}

function parseProcess(value: unknown, place: Place): Process {
  const object = asObject(value, place);
  const texts = (key: string) =>
    optional(object, key, place, (it, at) => parseList(it, at, asString)) ?? [];
  const sets = optional(object, "capabilities", place, parseCapabilities);
  return {
    ...(object as Partial<Process>),
    args: texts("args"),
    env: texts("env"),
    cwd: optional(object, "cwd", place, asString) ?? "/",
    user: parseUser(object["user"] ?? {}, member(place, "user")),
    ...(sets === undefined ? {} : { capabilities: sets }),
  };
}

function parseUser(value: unknown, place: Place): User {
  const object = asObject(value, place);
  const id = (it: unknown, at: Place) => asInteger(it, 0, MAX_ID, at);
  const groups = (it: unknown, at: Place) => parseList(it, at, id);
  const umask = optional(object, "umask", place, (it, at) => asInteger(it, 0, 0o7777, at));
  return {
    uid: optional(object, "uid", place, id) ?? 0,
    gid: optional(object, "gid", place, id) ?? 0,
    additionalGids: optional(object, "additionalGids", place, groups) ?? [],
    ...(umask === undefined ? {} : { umask }),
  };
}

function parseCapabilities(value: unknown, place: Place): CapabilitySets {
  const object = asObject(value, place);
  const names = (key: keyof CapabilitySets) =>
    optional(object, key, place, (it, at) => parseList(it, at, asString)) ?? [];
  return {
    bounding: names("bounding"),
    effective: names("effective"),
    permitted: names("permitted"),
    inheritable: names("inheritable"),
    ambient: names("ambient"),
  };
}

function parseMount(value: unknown, place: Place): Mount {
  const object = asObject(value, place);
  const options = optional(object, "options", place, (it, at) => parseList(it, at, asString)) ?? [];
  const bind = options.includes("bind") || options.includes("rbind");
  return {
    ...object,
    destination: asString(object["destination"], member(place, "destination")),
    type: optional(object, "type", place, asString) ?? (bind ? "bind" : "none"),
    source: optional(object, "source", place, asString) ?? "none",
    options,
  };
}

/** What is deeper is checked where it is used: by the tape, the cgroup plan, the assembler. */
function parseLinux(value: unknown, place: Place): Linux {
  const object: JsonObject = asObject(value, place);
  const list = (key: string) =>
    optional(object, key, place, (it, at) => parseList(it, at, asObject)) ?? [];
  return {
    ...(object as Partial<Linux>),
    namespaces: list("namespaces") as unknown as Linux["namespaces"],
  };
}

function parseList<T>(
  value: unknown,
  place: Place,
  parse: (value: unknown, place: Place) => T,
): readonly T[] {
  return asArray(value, MAX_LIST, place).map((one, index) => parse(one, member(place, index)));
}
