import { TsimgError } from "../../sys/error.ts";

const DEFAULT_KEYS = "ctrl-p,ctrl-q";

/**
 * The bytes that a terminal sends for `--detach-keys`: single characters and `ctrl-` with a
 * letter or one of `@ [ \ ] ^ _`, separated by commas. An empty text turns detaching off.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseDetachKeys(text: string | null | undefined): string | undefined {
  const wanted = text ?? DEFAULT_KEYS;
  if (wanted === "") return undefined;
  return wanted.split(",").map(keyByte).join("");
}

function keyByte(key: string): string {
  if (/^[ -~]$/.test(key)) return key;
  const control = /^ctrl-([a-z@[\\\]^_])$/i.exec(key)?.[1]?.toUpperCase();
  // A tape's strings end at a NUL, which is what ctrl-@ sends.
  if (control !== undefined && control !== "@") {
    return String.fromCharCode(control.charCodeAt(0) - 64);
  }
  throw new TsimgError("ERR_USAGE", `invalid key "${key.slice(0, 32)}" in --detach-keys`, {
    hint: "write a character or ctrl- with a letter, separated by commas, as in ctrl-p,ctrl-q",
  });
}
