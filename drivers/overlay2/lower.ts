import { readFileSync, readlinkSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../src/sys/errno.ts";
import { randomBytes } from "../../src/sys/random.ts";

/** Letters of a short link: base 32, as docker's. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/** Length of a short link's name: 130 bits of chance, as docker's. */
const LENGTH = 26;

/**
 * Makes `l/<26 letters>` → `../<id>/diff` and writes its name to `<id>/link`.
 *
 * Overlay mount options must fit a page on older kernels: 29 bytes a layer instead of 70.
 */
export function makeShortLink(home: string, id: string): void {
  const name = Array.from(randomBytes(LENGTH), (byte) => ALPHABET[byte & 31]).join("");
  // In this order a link that a crash leaves behind can be found again, to be removed.
  writeFileSync(join(home, id, "link"), name);
  symlinkSync(join("..", id, "diff"), join(home, "l", name));
}

/** The path of a layer's short link, when it has one. */
export function shortLink(home: string, id: string): string | undefined {
  const name = tolerating(["ENOENT"], () => readFileSync(join(home, id, "link"), "latin1"));
  return name !== undefined && /^[A-Z2-7]{26}$/.test(name) ? join(home, "l", name) : undefined;
}

/** Takes a layer's short link away. A layer that has none yet is no error. */
export function removeShortLink(home: string, id: string): void {
  const link = shortLink(home, id);
  if (link !== undefined) tolerating(["ENOENT"], () => unlinkSync(link));
}

/** The text of `<child>/lower`: the short links of `parent` and all below it, nearest first. */
export function lowerOfChild(home: string, parent: string): string {
  const own = `l/${readFileSync(join(home, parent, "link"), "latin1")}`;
  const below = readLower(home, parent);
  return [own, ...below].join(":");
}

/** The short links below a layer, nearest first: none for a base layer. */
export function readLower(home: string, id: string): readonly string[] {
  const text = tolerating(["ENOENT"], () => readFileSync(join(home, id, "lower"), "latin1"));
  return text === undefined || text === "" ? [] : text.trim().split(":");
}

/** The `diff` directory that a short link leads to. */
export function followShortLink(home: string, link: string): string {
  return join(home, "l", readlinkSync(join(home, link)));
}
