import { TsimgError } from "../../sys/error.ts";

/** A command line of the OCI runtime interface, taken apart. */
export interface OciLine {
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly words: readonly string[];
}

/** Names of flags: those with a value end in "=". Several names of one flag follow each other. */
export type FlagNames = Readonly<Record<string, readonly string[]>>;

/**
 * Reads flags as Go programs write them: `-b DIR`, `--bundle DIR`, `--bundle=DIR`, one dash or
 * two. The first word that is no flag ends them.
 *
 * @throws TsimgError ERR_USAGE
 */
export function readFlags(line: readonly string[], known: FlagNames): OciLine {
  const flags = new Map<string, readonly string[]>();
  let at = 0;
  for (; at < line.length; at++) {
    const word = line[at] ?? "";
    if (word === "--") {
      at++;
      break;
    }
    if (!word.startsWith("-") || word === "-") break;
    const [, given = "", , value] = /^--?([^=]+)(=(.*))?$/s.exec(word) ?? [];
    const found = Object.entries(known).find(([name, others]) =>
      [name.replace(/=$/, ""), ...others].includes(given),
    );
    if (found === undefined) throw new TsimgError("ERR_USAGE", `unknown flag: ${word}`);
    const [spelled] = found;
    const name = spelled.replace(/=$/, "");
    const text = spelled.endsWith("=") ? (value ?? line[++at]) : (value ?? "true");
    if (text === undefined) throw new TsimgError("ERR_USAGE", `flag needs a value: ${word}`);
    flags.set(name, [...(flags.get(name) ?? []), text]);
  }
  return { flags, words: line.slice(at) };
}

/** The last value of a flag. */
export function flagOf({ flags }: OciLine, name: string): string | undefined {
  return flags.get(name)?.at(-1);
}

export function isSet(line: OciLine, name: string): boolean {
  const value = flagOf(line, name);
  return value !== undefined && value !== "false";
}

/** The container's ID, the first word. @throws TsimgError ERR_USAGE */
export function idOf({ words }: OciLine): string {
  const [id] = words;
  if (id !== undefined && id !== "") return id;
  throw new TsimgError("ERR_USAGE", "the container's ID is missing");
}
