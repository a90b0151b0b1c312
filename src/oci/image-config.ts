import { TsimgError } from "../sys/error.ts";
import { type DiffId, parseDiffId } from "./digest.ts";
import {
  asArray,
  asInteger,
  asObject,
  asString,
  asStringMap,
  invalid,
  type JsonObject,
  member,
  optional,
  type Place,
  parseJsonObject,
} from "./document.ts";
import { type ImageManifest, MAX_CONFIG_SIZE, MAX_LAYERS } from "./manifest.ts";

/** @see OCI image-spec 1.1, config.md */
export interface ImageConfig {
  /** Empty when the image doesn't say. */
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  /** RFC 3339, as written. */
  readonly created?: string;
  readonly author?: string;
  readonly config: ContainerConfig;
  /** One for each layer, the base layer first. */
  readonly rootfs: { readonly diffIds: readonly DiffId[] };
  readonly history: readonly HistoryEntry[];
}

/** How a container of the image is started. Members keep the names they have in the document. */
export interface ContainerConfig {
  readonly User: string;
  /** `NAME=value` each. */
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly WorkingDir: string;
  /** `80/tcp`, as written. */
  readonly ExposedPorts: readonly string[];
  /** Paths inside the container. */
  readonly Volumes: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Shell: readonly string[];
  readonly Healthcheck?: Healthcheck;
}

/** Docker's extension. Times in nanoseconds; 0 stands for the default. */
export interface Healthcheck {
  readonly Test: readonly string[];
  readonly Interval: number;
  readonly Timeout: number;
  readonly StartPeriod: number;
  readonly StartInterval: number;
  readonly Retries: number;
}

export interface HistoryEntry {
  readonly created?: string;
  readonly createdBy?: string;
  readonly author?: string;
  readonly comment?: string;
  /** True when the step made no layer. */
  readonly emptyLayer: boolean;
}

const MAX_LIST = 10_000;
const DOCUMENT: Place = { what: "image config:", code: "ERR_CONFIG_INVALID" };

/**
 * Reads an image configuration. Members that are absent or null, as many encoders write them,
 * count as empty.
 *
 * @throws TsimgError ERR_CONFIG_INVALID naming the member
 */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  const whole = { ...DOCUMENT, what: "image config" };
  const document = parseJsonObject(bytes, MAX_CONFIG_SIZE, whole);
  const text = (key: string): string | undefined => optional(document, key, DOCUMENT, asString);
  const variant = text("variant");
  const created = text("created");
  const author = text("author");
  return {
    architecture: text("architecture") ?? "",
    os: text("os") || "linux",
    ...(variant && { variant }),
    ...(created && { created }),
    ...(author && { author }),
    config: parseContainerConfig(optional(document, "config", DOCUMENT, asObject) ?? {}),
    rootfs: { diffIds: parseRootfs(document) },
    history: optional(document, "history", DOCUMENT, parseHistory) ?? [],
  };
}

/**
 * @throws TsimgError ERR_CONFIG_INVALID when the image doesn't have one diff ID for each layer:
 *   what its layers unpack to could then not be verified
 */
export function checkLayerCount(manifest: ImageManifest, config: ImageConfig): void {
  const [layers, diffIds] = [manifest.layers.length, config.rootfs.diffIds.length];
  if (layers === diffIds) return;
  throw new TsimgError(
    "ERR_CONFIG_INVALID",
    `the manifest has ${layers} layers but the image config has ${diffIds} diff IDs`,
    { hint: "the image was put together wrongly: build or push it again" },
  );
}

function parseContainerConfig(config: JsonObject): ContainerConfig {
  const place = member(DOCUMENT, "config");
  const stopSignal = optional(config, "StopSignal", place, asString);
  const healthcheck = optional(config, "Healthcheck", place, parseHealthcheck);
  return {
    User: optional(config, "User", place, asString) ?? "",
    Env: optional(config, "Env", place, asStrings) ?? [],
    Entrypoint: optional(config, "Entrypoint", place, asCommand) ?? [],
    Cmd: optional(config, "Cmd", place, asCommand) ?? [],
    WorkingDir: optional(config, "WorkingDir", place, asString) ?? "",
    ExposedPorts: optional(config, "ExposedPorts", place, asSet) ?? [],
    Volumes: optional(config, "Volumes", place, asSet) ?? [],
    Labels: optional(config, "Labels", place, asStringMap) ?? {},
    ...(stopSignal && { StopSignal: stopSignal }),
    Shell: optional(config, "Shell", place, asCommand) ?? [],
    ...(healthcheck && { Healthcheck: healthcheck }),
  };
}

function parseRootfs(document: JsonObject): readonly DiffId[] {
  const place = member(DOCUMENT, "rootfs");
  const rootfs = asObject(document["rootfs"], place);
  const type = optional(rootfs, "type", place, asString) ?? "layers";
  if (type !== "layers") throw invalid(member(place, "type"), 'is not "layers"');
  const list = (value: unknown, at: Place) =>
    asArray(value, MAX_LAYERS, at).map((id, n) => parseDiffId(id, member(at, n).what, at.code));
  return optional(rootfs, "diff_ids", place, list) ?? [];
}

function parseHistory(value: unknown, place: Place): readonly HistoryEntry[] {
  return asArray(value, MAX_LIST, place).map((entry, at) => {
    const here = member(place, at);
    const step = asObject(entry, here);
    const created = optional(step, "created", here, asString);
    const createdBy = optional(step, "created_by", here, asString);
    const author = optional(step, "author", here, asString);
    const comment = optional(step, "comment", here, asString);
    return {
      ...(created && { created }),
      ...(createdBy && { createdBy }),
      ...(author && { author }),
      ...(comment && { comment }),
      emptyLayer: step["empty_layer"] === true,
    };
  });
}

function parseHealthcheck(value: unknown, place: Place): Healthcheck {
  const check = asObject(value, place);
  const count = (key: string): number =>
    optional(check, key, place, (n, at) => asInteger(n, 0, Number.MAX_SAFE_INTEGER, at)) ?? 0;
  return {
    Test: optional(check, "Test", place, asStrings) ?? [],
    Interval: count("Interval"),
    Timeout: count("Timeout"),
    StartPeriod: count("StartPeriod"),
    StartInterval: count("StartInterval"),
    Retries: count("Retries"),
  };
}

function asStrings(value: unknown, place: Place): readonly string[] {
  return asArray(value, MAX_LIST, place).map((text, at) => asString(text, member(place, at)));
}

/** Docker reads a command that is one string as a list of that one. */
function asCommand(value: unknown, place: Place): readonly string[] {
  return typeof value === "string" ? [asString(value, place)] : asStrings(value, place);
}

/** Go writes a set as an object with empty values. */
function asSet(value: unknown, place: Place): readonly string[] {
  const keys = Object.keys(asObject(value, place));
  return keys.map((key) => asString(key, place));
}
