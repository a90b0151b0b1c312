import { COMMANDS, commandNamed } from "./commands.ts";
import { parseQuickly } from "./parse-quickly.ts";

/**
 * Runs a command line and answers its exit status. Only the module of the command that is
 * asked for is loaded; all of them, and commander, for help and for lines that need words.
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const { globals, rest } = takeGlobals(argv);
  const [name = "", ...words] = rest;
  try {
    const load = commandNamed(name);
    if (load === undefined) return await complain(argv, Object.values(COMMANDS));
    const command = (await load()).command();
    const parsed = parseQuickly(command, words);
    if (parsed === undefined) return await complain(argv, [load]);
    await command.run(parsed.values, parsed.flags, globals);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    const { reportError } = await import("./output/errors.ts");
    return reportError(error, process.stderr, { debug: argv.includes("--debug") });
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

/** The options before the command's name, as far as they are plain; the rest is untouched. */
function takeGlobals(argv: readonly string[]) {
  const globals: { root?: string; runroot?: string; debug?: boolean } = {};
  let at = 0;
  for (; at < argv.length; at++) {
    const [, name, , value] = /^--(root|runroot)(=(.*))?$/s.exec(argv[at] ?? "") ?? [];
    if (name === "root" || name === "runroot") {
      const text = value ?? argv[++at];
      if (text === undefined) break;
      globals[name] = text;
    } else if (argv[at] === "--debug") globals.debug = true;
    else break;
  }
  return { globals, rest: argv.slice(at) };
}
