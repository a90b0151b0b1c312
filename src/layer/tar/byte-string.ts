declare const byteStringBrand: unique symbol;

/**
 * A string of bytes, one character (U+0000 to U+00FF) a byte. Names and PAX keys in a tar
 * archive have no encoding; kept like this they compare, hash and split as strings do and
 * lose nothing.
 */
export type ByteString = string & { readonly [byteStringBrand]: true };

const DISPLAY_LENGTH = 80;
const DISPLAY_TAIL = 24;

/** The bytes of `bytes[start, end)`. */
export function toByteString(bytes: Buffer, start = 0, end = bytes.length): ByteString {
  return bytes.toString("latin1", start, end) as ByteString;
}

/** The ByteString of a text's UTF-8 form. */
export function byteStringOf(text: string): ByteString {
  return toByteString(Buffer.from(text));
}

export function toBuffer(name: ByteString): Buffer {
  return Buffer.from(name, "latin1");
}

/** `name` as `node:fs` takes it: a plain string when that is the same bytes, else a Buffer. */
export function fsPath(name: ByteString): string | Buffer {
  return isAscii(name) ? (name as string) : toBuffer(name);
}

/**
 * `name` for a message: one line, printable, at most 80 characters. UTF-8 is shown as text;
 * what a terminal could act on, and bytes that are no UTF-8, are escaped.
 */
export function displayName(name: ByteString): string {
  const characters = isAscii(name) ? [...name] : decodeCharacters(name);
  const shown = characters.map(displayCharacter);
  const text = shown.join("");
  if (text.length <= DISPLAY_LENGTH) return text;
  return `${text.slice(0, DISPLAY_LENGTH - DISPLAY_TAIL - 1)}…${text.slice(-DISPLAY_TAIL)}`;
}

function isAscii(name: string): boolean {
  return !/[\x80-\xff]/.test(name);
}

function decodeCharacters(name: ByteString): string[] {
  try {
    return [...new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(toBuffer(name))];
  } catch {
    return [...name].map((byte) => (isAscii(byte) ? byte : hexEscape(byte)));
  }
}

function displayCharacter(character: string): string {
  if (character.length > 1 && character.startsWith("\\x")) return character;
  if (character === "\\" || character === "'") return `\\${character}`;
  if (character === "\n") return "\\n";
  if (character === " " || !/[\p{C}\p{Z}]/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? hexEscape(character) : `\\u{${code.toString(16)}}`;
}

function hexEscape(byte: string): string {
  return `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`;
}
