import { TsimgError } from "../sys/error.ts";
import { type Digest, isDigest, parseDigest } from "./digest.ts";
import { quoteForMessage } from "./document.ts";

/**
 * What names an image in a registry. At least one of `tag` and `digest` is there; when both
 * are, the digest says which image it is and the tag is only kept for people.
 */
export interface Reference {
  /** Host and port as written: `docker.io`, `localhost:5000`, `[::1]:5000`. */
  readonly registry: string;
  /** Path below the registry: `library/alpine`. */
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

const DEFAULT_REGISTRY = "docker.io";
const OFFICIAL = "library/";
const MAX_NAME_LENGTH = 255;

const HOST_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?";
const REGISTRY = new RegExp(
  `^(?:${HOST_LABEL}(?:\\.${HOST_LABEL})*|\\[[0-9A-Fa-f:]+\\])(?::[0-9]+)?$`,
);
const PATH_COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const REPOSITORY = new RegExp(`^${PATH_COMPONENT}(?:/${PATH_COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const IMAGE_ID = /^[0-9a-f]{64}$/;

export function isTag(text: string): boolean {
  return TAG.test(text);
}

export function isRepository(text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && REPOSITORY.test(text);
}

/**
 * Parses a reference as docker reads it: `alpine` is `docker.io/library/alpine:latest`. The
 * part before the first slash is a registry when it has a dot, a colon or an upper-case
 * letter, or is `localhost`.
 *
 * @throws TsimgError ERR_REFERENCE, saying what is wrong with which part
 */
export function parseReference(text: string): Reference {
  const refuse = (flaw: string, hint: string): TsimgError =>
    new TsimgError("ERR_REFERENCE", `image reference ${quoteForMessage(text)} ${flaw}`, { hint });
  if (text === "") throw refuse("is empty", "name an image, as in alpine:3.20");
  if (/^[a-z][a-z+.-]*:\/\//i.test(text)) {
    throw refuse("begins with a scheme", "leave out everything up to and including ://");
  }
  if (IMAGE_ID.test(text)) {
    throw refuse("is an image ID, not a name", "put sha256: in front for an image in the store");
  }
  const { registry, rest } = splitRegistry(text);
  const { path, tag, digest } = splitSuffix(rest);
  checkRegistry(registry, refuse);
  const official = registry === DEFAULT_REGISTRY && !path.includes("/");
  checkPath(path, refuse);
  const repository = official ? OFFICIAL + path : path;
  if (repository.length > MAX_NAME_LENGTH) {
    throw refuse(
      `has a name of ${repository.length} characters`,
      `a repository name has at most ${MAX_NAME_LENGTH}`,
    );
  }
  if (tag !== undefined && !TAG.test(tag)) {
    throw refuse(
      `has the invalid tag ${quoteForMessage(tag)}`,
      "a tag is 1 to 128 letters, digits, _ . and -, and does not begin with . or -",
    );
  }
  const parsed = digest === undefined ? undefined : parseReferenceDigest(text, digest);
  return assemble(registry, repository, tag, parsed);
}

/** The whole name: `docker.io/library/alpine:3.20`. */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffix(reference)}`;
}

/**
 * The shortest name that docker prints and that means the same: `alpine:3.20`.
 */
export function familiarReference(reference: Reference): string {
  const { registry, repository } = reference;
  if (registry !== DEFAULT_REGISTRY) return formatReference(reference);
  const [first = "", second, ...more] = repository.split("/");
  if (second !== undefined && isRegistryPart(first)) return formatReference(reference);
  const short = first === "library" && second !== undefined && more.length === 0;
  return `${short ? second : repository}${suffix(reference)}`;
}

function suffix({ tag, digest }: Reference): string {
  return `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

type Refuse = (flaw: string, hint: string) => TsimgError;

function splitRegistry(text: string): { registry: string; rest: string } {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  if (slash < 0 || !isRegistryPart(first)) return { registry: DEFAULT_REGISTRY, rest: text };
  const registry = first === "index.docker.io" ? DEFAULT_REGISTRY : first;
  return { registry, rest: text.slice(slash + 1) };
}

function isRegistryPart(part: string): boolean {
  return /[.:]/.test(part) || part === "localhost" || part !== part.toLowerCase();
}

function splitSuffix(rest: string): { path: string; tag?: string; digest?: string } {
  const at = rest.indexOf("@");
  const named = at < 0 ? rest : rest.slice(0, at);
  const digest = at < 0 ? undefined : rest.slice(at + 1);
  const colon = named.indexOf(":");
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  return {
    path: colon < 0 ? named : named.slice(0, colon),
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

function assemble(
  registry: string,
  repository: string,
  tag: string | undefined,
  digest: Digest | undefined,
): Reference {
  if (digest === undefined) return { registry, repository, tag: tag ?? "latest" };
  return tag === undefined
    ? { registry, repository, digest }
    : { registry, repository, tag, digest };
}

function checkRegistry(registry: string, refuse: Refuse): void {
  // WHATWG URL knows what a port and an IPv6 address may be.
  if (
    registry.length <= MAX_NAME_LENGTH &&
    REGISTRY.test(registry) &&
    URL.canParse(`http://${registry}/`)
  ) {
    return;
  }
  throw refuse(
    `has the invalid registry ${quoteForMessage(registry)}`,
    "a registry is a host name or address and perhaps a port, as in registry.example:5000",
  );
}

function checkPath(path: string, refuse: Refuse): void {
  if (REPOSITORY.test(path)) return;
  if (path === "") throw refuse("has no name", "name an image, as in alpine:3.20");
  if (path !== path.toLowerCase()) {
    throw refuse(
      "has upper-case letters in its name",
      `write ${quoteForMessage(path.toLowerCase())}`,
    );
  }
  const bad = path.split("/").find((component) => !REPOSITORY.test(component)) ?? path;
  throw refuse(
    bad === "" ? "has an empty part in its name" : `has the invalid part ${quoteForMessage(bad)}`,
    "names are lower-case letters and digits, joined by one . or by _ __ or -, with / between parts",
  );
}

function parseReferenceDigest(text: string, digest: string): Digest {
  if (isDigest(digest)) return digest as Digest;
  return parseDigest(digest, `what follows @ in ${quoteForMessage(text)}`, "ERR_REFERENCE");
}
