/**
 * What a terminal would obey or hide in place of showing: C0 and C1 controls, line and
 * paragraph separators, zero-width characters, and the marks that turn the direction of
 * writing.
 */
const UNSHOWABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/**
 * `text` fit for one line of a terminal: names, labels and messages come from registries
 * and image configs, and must not move the cursor or rewrite what stands above.
 */
export function escapeControl(text: string): string {
  return text.replace(UNSHOWABLE, (character) => {
    const short = SHORT_ESCAPES[character];
    if (short !== undefined) return short;
    const code = character.charCodeAt(0);
    return code < 256 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  });
}

/** JSON that means the same as `JSON.stringify`'s, without anything a terminal would obey. */
export function jsonText(value: unknown, indent?: number): string {
  const text = JSON.stringify(value, undefined, indent) ?? "null";
  // The line feeds that are left are those of the indentation.
  return text.replace(UNSHOWABLE, (character) =>
    character === "\n" ? character : `\\u${hex(character.charCodeAt(0), 4)}`,
  );
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
