import type { ByteString } from "../../layer/tar/byte-string.ts";
import type { TarEntryType } from "../../layer/tar/entry.ts";
import type { Digest } from "../../oci/digest.ts";
import type { LayerIndex } from "./layer-index.ts";

/** Of the form below. One that changes it counts on. */
const VERSION = 1;

const LETTERS: Readonly<Record<TarEntryType, string>> = {
  file: "f",
  dir: "d",
  symlink: "s",
  link: "l",
  char: "c",
  block: "b",
  fifo: "p",
};
const TYPES = new Map(
  Object.entries(LETTERS).map(([type, letter]) => [letter, type as TarEntryType]),
);

/**
 * An index as the text of a file: a line of JSON says which layer it is of and how many
 * entries follow, then each is a line, `["f","etc/passwd",1024]`.
 */
export function indexText(digest: Digest, index: LayerIndex): string {
  const head = JSON.stringify({ version: VERSION, digest, entries: index.length });
  const lines = index.map(({ path, type, size, target }) =>
    JSON.stringify([
      LETTERS[type],
      path,
      ...(target === "" ? (size ? [size] : []) : [size, target]),
    ]),
  );
  return `${[head, ...lines].join("\n")}\n`;
}

/** @returns undefined for what is of another version or another layer, or not whole */
export function parseIndexText(digest: Digest, text: string): LayerIndex | undefined {
  try {
    const [head = "", ...lines] = text.split("\n");
    const last = lines.pop();
    const { version, digest: of, entries } = JSON.parse(head);
    if (version !== VERSION || of !== digest || entries !== lines.length || last !== "")
      return undefined;
    return lines.map(parseLine);
  } catch {
    return undefined;
  }
}

function parseLine(line: string): LayerIndex[number] {
  const [letter, path, size = 0, target = ""]: unknown[] = JSON.parse(line);
  const type = typeof letter === "string" ? TYPES.get(letter) : undefined;
  const isWhole = typeof path === "string" && typeof size === "number";
  if (type === undefined || !isWhole || typeof target !== "string") throw new SyntaxError(line);
  return { type, path: path as ByteString, size, target: target as ByteString };
}
