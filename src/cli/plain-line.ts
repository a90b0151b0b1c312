import type { Command } from "./command.ts";
import type { CommandLine } from "./command-line.ts";
import { failureStatus } from "./failure-status.ts";
import { parseQuickly } from "./parse-quickly.ts";

/**
 * Runs a command on a line about which there is nothing to say.
 *
 * @returns the exit status; undefined for a line that needs words, with nothing done
 */
export async function runPlainLine(
  command: Command,
  { words, globals }: CommandLine,
): Promise<number | undefined> {
  const parsed = parseQuickly(command, words);
  if (parsed === undefined) return undefined;
  try {
    await command.run(parsed.values, parsed.flags, globals);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const { reportError } = await import("./output/errors.ts");
    const debug = process.argv.includes("--debug");
    return failureStatus(command.name, reportError(error, process.stderr, { debug }));
  }
}
