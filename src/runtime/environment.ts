import { TsimgError } from "../sys/error.ts";

export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface EnvironmentSources {
  /** The image's `NAME=value` list. */
  readonly image: readonly string[];
  /** Contents of the `--env-file`s, in order. */
  readonly files: readonly EnvFile[];
  /** `-e` flags, in order: `NAME=value`, or `NAME` alone to take the caller's. */
  readonly flags: readonly string[];
  readonly caller: Readonly<Record<string, string | undefined>>;
  readonly hostname: string;
  readonly home: string;
  /** Whether the container has a terminal. */
  readonly tty: boolean;
}

export interface EnvFile {
  /** For messages. */
  readonly path: string;
  readonly text: string;
}

/**
 * The container's environment, each name once: PATH, HOSTNAME and TERM as defaults, then what
 * the image says, then the env files, then the flags; HOME last and only when nobody set it.
 * A name without a value takes the caller's. When the caller hasn't got it, a flag takes the
 * name out, and a line of a file does nothing.
 *
 * @throws TsimgError ERR_USAGE for a name that can't be one
 */
export function buildEnvironment(sources: EnvironmentSources): readonly string[] {
  const values = new Map<string, string>([
    ["PATH", DEFAULT_PATH],
    ["HOSTNAME", sources.hostname],
    ...(sources.tty ? [["TERM", "xterm"] as const] : []),
  ]);
  for (const entry of sources.image) setFromImage(values, entry);
  for (const file of sources.files) {
    for (const { line, entry } of entriesOf(file)) {
      if (!entry.includes("=") && sources.caller[entry] === undefined) continue;
      setFromFlag(values, entry, sources.caller, `${file.path}:${line}`);
    }
  }
  for (const entry of sources.flags) setFromFlag(values, entry, sources.caller, "-e");
  if (!values.has("HOME") || values.get("HOME") === "") values.set("HOME", sources.home);
  return [...values].map(([name, value]) => `${name}=${value}`);
}

/** A line that can't be a setting is the image's mistake, not the user's: passed over. */
function setFromImage(values: Map<string, string>, entry: string): void {
  const equals = entry.indexOf("=");
  if (equals <= 0 || entry.includes("\0")) return;
  values.set(entry.slice(0, equals), entry.slice(equals + 1));
}

function setFromFlag(
  values: Map<string, string>,
  entry: string,
  caller: EnvironmentSources["caller"],
  where: string,
): void {
  const equals = entry.indexOf("=");
  const name = equals < 0 ? entry : entry.slice(0, equals);
  if (name === "" || entry.includes("\0")) {
    throw new TsimgError(
      "ERR_USAGE",
      `invalid environment variable "${entry.slice(0, 64)}" in ${where}`,
      { hint: "write NAME=value, or NAME alone to pass on your own value" },
    );
  }
  const value = equals < 0 ? caller[name] : entry.slice(equals + 1);
  if (value === undefined) values.delete(name);
  else values.set(name, value);
}

/** Lines without blanks in front; comments begin with `#`; nothing is unquoted, as docker has it. */
function entriesOf(file: EnvFile): readonly { readonly line: number; readonly entry: string }[] {
  const lines = file.text.replace(/^\uFEFF/, "").split(/\r?\n/);
  return lines.flatMap((text, index) => {
    const entry = text.replace(/^\s+/, "");
    if (entry === "" || entry.startsWith("#")) return [];
    const name = entry.split("=", 1)[0] ?? "";
    if (/\s/.test(name)) {
      throw new TsimgError(
        "ERR_USAGE",
        `variable name "${name.slice(0, 64)}" contains white space in ${file.path}:${index + 1}`,
        { hint: "a line reads NAME=value, without blanks around the equals sign" },
      );
    }
    return [{ line: index + 1, entry }];
  });
}
