import type { CommandLine } from "./command-line.ts";
import { COMMANDS, commandNamed } from "./commands.ts";
import { failureStatus } from "./failure-status.ts";
import { runPlainLine } from "./plain-line.ts";

/**
 * Runs a command line and answers its exit status. Only the module of the command that is
 * asked for is loaded; all of them, and commander, for help and for lines that need words.
 */
export async function runCommandLine(argv: readonly string[], line: CommandLine): Promise<number> {
  try {
    const load = commandNamed(line.name);
    if (load === undefined) return await complain(argv, Object.values(COMMANDS));
    const status = await runPlainLine((await load()).command(), line);
    return status ?? (await complain(argv, [load]));
  } catch (error) {
    const { reportError } = await import("./output/errors.ts");
    const status = reportError(error, process.stderr, { debug: argv.includes("--debug") });
    return failureStatus(line.name, status);
  }
}

async function complain(
  argv: readonly string[],
  loads: readonly (typeof COMMANDS)[string][],
): Promise<number> {
  const { parseWithCommander } = await import("./commander.ts");
  const modules = await Promise.all(loads.map((load) => load()));
  const commands = modules.map((module) => module.command());
  const status = await parseWithCommander(commands, argv);
  return status ?? Number(process.exitCode ?? 0);
}
