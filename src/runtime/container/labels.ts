import { TsimgError } from "../../sys/error.ts";
import type { EnvFile } from "../environment.ts";

/**
 * The annotations of a runtime spec, by `--annotation`.
 *
 * @throws TsimgError ERR_USAGE for one without a name
 */
export function parseAnnotations(flags: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(flags.map((line) => nameAndValue(line, "annotation", "--annotation")));
}

/**
 * The labels of a container: the image's, then those of files, then the flags'; the later one
 * of a name counts. A name without "=" has an empty value.
 *
 * @throws TsimgError ERR_USAGE for a label without a name
 */
export function chooseLabels(
  image: Readonly<Record<string, string>>,
  files: readonly EnvFile[],
  flags: readonly string[],
): Readonly<Record<string, string>> {
  const lines = files.flatMap(({ path, text }) =>
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => ({ line, where: path })),
  );
  const given = [...lines, ...flags.map((line) => ({ line, where: "--label" }))];
  const labels = { ...image };
  for (const { line, where } of given) {
    const [name, value] = nameAndValue(line, "label", where);
    labels[name] = value;
  }
  return labels;
}

function nameAndValue(line: string, what: string, where: string): readonly [string, string] {
  const equals = line.indexOf("=");
  const name = equals < 0 ? line : line.slice(0, equals);
  if (name.trim() === "") {
    const article = what.startsWith("a") ? "an" : "a";
    const shown = line.slice(0, 64);
    throw new TsimgError("ERR_USAGE", `${article} ${what} without a name in ${where}: "${shown}"`, {
      hint: "write name=value",
    });
  }
  return [name, equals < 0 ? "" : line.slice(equals + 1)];
}
