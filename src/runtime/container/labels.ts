import { TsimgError } from "../../sys/error.ts";
import type { EnvFile } from "../environment.ts";

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
    const equals = line.indexOf("=");
    const name = equals < 0 ? line : line.slice(0, equals);
    if (name.trim() === "") {
      throw new TsimgError(
        "ERR_USAGE",
        `a label without a name in ${where}: "${line.slice(0, 64)}"`,
        {
          hint: "write name=value",
        },
      );
    }
    labels[name] = equals < 0 ? "" : line.slice(equals + 1);
  }
  return labels;
}
