import { TsimgError } from "../sys/error.ts";
import type { Descriptor } from "./descriptor.ts";
import { quoteForMessage } from "./document.ts";
import { INDEX_TYPES, MANIFEST_TYPES } from "./media-types.ts";

/** What an image runs on, in Go's words: `linux`, `arm64`, `v8`. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const PART = /^[A-Za-z0-9_.-]{1,40}$/;

/**
 * Parses `os/arch[/variant]`, or an architecture alone (`arm64`), of Linux then.
 *
 * @returns the platform in normal form
 * @throws TsimgError ERR_PLATFORM
 */
export function parsePlatform(text: string): Platform {
  const parts = text.split("/");
  if (parts.length > 3 || !parts.every((part) => PART.test(part))) {
    throw new TsimgError("ERR_PLATFORM", `${quoteForMessage(text)} is not a platform`, {
      hint: "write os/architecture or os/architecture/variant, as in linux/arm64/v8",
    });
  }
  const [first = "", second, variant] = parts;
  if (second === undefined) {
    return first.toLowerCase() === "linux"
      ? { ...hostPlatform(), os: "linux" }
      : normalizePlatform({ os: "linux", architecture: first });
  }
  return normalizePlatform({
    os: first,
    architecture: second,
    ...(variant !== undefined && { variant }),
  });
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return [os || "unknown", architecture || "unknown", ...(variant ? [variant] : [])].join("/");
}

const HOST_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  loong64: "loong64",
  mips: "mips",
  mipsel: "mipsle",
  ppc64: "ppc64le",
};

/** The platform of this machine; of the Node that runs, strictly, which comes to the same. */
export function hostPlatform(): Platform {
  const { arch } = process;
  return normalizePlatform({ os: "linux", architecture: HOST_ARCHITECTURES[arch] ?? arch });
}

/**
 * One spelling for each platform: `x86_64` is `amd64`, `aarch64` is `arm64`, `armhf` is
 * `arm/v7`. The variant that an architecture has when none is named is left out, but for
 * `arm`, where it is `v7`, as in containerd.
 */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase() === "macos" ? "darwin" : platform.os.toLowerCase();
  const [architecture, variant] = normalizeArchitecture(
    platform.architecture.toLowerCase(),
    (platform.variant ?? "").toLowerCase(),
  );
  return { os, architecture, ...(variant !== "" && { variant }) };
}

function normalizeArchitecture(architecture: string, variant: string): [string, string] {
  switch (architecture) {
    case "i386":
    case "i486":
    case "i586":
    case "i686":
    case "386":
      return ["386", ""];
    case "x86_64":
    case "x86-64":
    case "amd64":
      return ["amd64", variant === "v1" ? "" : variant];
    case "aarch64":
    case "arm64":
      return ["arm64", normalizeArm64Variant(variant)];
    case "armhf":
      return ["arm", "v7"];
    case "armel":
      return ["arm", "v6"];
    case "arm":
      return ["arm", variant === "" ? "v7" : withV(variant)];
    default:
      return [architecture, variant];
  }
}

function normalizeArm64Variant(variant: string): string {
  const named = withV(variant).replace(/\.0$/, "");
  return named === "v8" ? "" : named;
}

function withV(variant: string): string {
  return /^[0-9]/.test(variant) ? `v${variant}` : variant;
}

/** Platforms whose programs run on `platform`, the best first: itself, then what it falls back to. */
export function compatiblePlatforms(platform: Platform): readonly Platform[] {
  const { os, architecture, variant = "" } = normalizePlatform(platform);
  const of = (name: string, variants: readonly string[]): Platform[] =>
    variants.map((each) => normalizePlatform({ os, architecture: name, variant: each }));
  switch (architecture) {
    case "amd64":
      return [...of("amd64", downFrom(variant || "v1", 1)), ...of("386", [""])];
    case "arm":
      return of("arm", downFrom(variant, 5));
    case "arm64":
      return [...of("arm64", arm64Variants(variant || "v8")), ...of("arm", downFrom("v8", 5))];
    default:
      return of(architecture, [variant]);
  }
}

/** `v3` down to `v1`. A variant that is no version falls back to nothing. */
function downFrom(variant: string, lowest: number): string[] {
  const version = /^v([1-9])$/.exec(variant)?.[1];
  if (version === undefined || Number(version) < lowest) return [variant];
  return Array.from({ length: Number(version) - lowest + 1 }, (_, n) => `v${Number(version) - n}`);
}

/** Armv9.n has all that Armv8.(n+5) has. */
function arm64Variants(variant: string): string[] {
  const match = /^v([89])(?:\.([0-9]))?$/.exec(variant);
  if (match === null) return [variant];
  const minor = Number(match[2] ?? 0);
  const down = (major: number, from: number): string[] =>
    Array.from({ length: from + 1 }, (_, n) => `v${major}.${from - n}`);
  return match[1] === "9"
    ? [...down(9, minor), ...down(8, Math.min(9, minor + 5))]
    : down(8, minor);
}

/**
 * The entry of an index to take for `wanted`: the one whose platform is the best match, the
 * first among equals. Entries that state no platform come last; entries that are neither an
 * image nor an index, and those for `unknown/unknown` (attestations), are passed over.
 */
export function selectPlatform(
  entries: readonly Descriptor[],
  wanted: Platform,
): Descriptor | undefined {
  const ranking = compatiblePlatforms(wanted).map(formatPlatform);
  let best: { readonly entry: Descriptor; readonly rank: number } | undefined;
  for (const entry of entries) {
    if (!isImageEntry(entry)) continue;
    const rank = rankOf(entry, ranking);
    if (rank >= 0 && (best === undefined || rank < best.rank)) best = { entry, rank };
  }
  return best?.entry;
}

function rankOf(entry: Descriptor, ranking: readonly string[]): number {
  if (entry.platform === undefined) return ranking.length;
  return ranking.indexOf(formatPlatform(normalizePlatform(entry.platform)));
}

function isImageEntry(entry: Descriptor): boolean {
  const image = MANIFEST_TYPES.has(entry.mediaType) || INDEX_TYPES.has(entry.mediaType);
  return image && entry.artifactType === undefined;
}

/** Says that `name` has nothing for `wanted`, and what it has. */
export function noPlatformError(
  entries: readonly Descriptor[],
  wanted: Platform,
  name: string,
): TsimgError {
  const known = entries
    .filter(isImageEntry)
    .map((entry) => entry.platform)
    .filter((platform) => platform !== undefined && platform.os !== "unknown")
    .map((platform) => formatPlatform(normalizePlatform(platform as Platform)));
  const offered = [...new Set(known)].map((text) => text.replace(/[^\x21-\x7e]/g, "?"));
  const list = offered.slice(0, 30).join(", ") + (offered.length > 30 ? ", …" : "");
  return new TsimgError("ERR_PLATFORM", `"${name}" has no image for ${formatPlatform(wanted)}`, {
    hint:
      list === ""
        ? "its index lists no image at all"
        : `it has ${list}: choose one with --platform`,
  });
}
