import { Command, CommanderError } from "commander";
import { COMMANDS } from "./commands.ts";
import { reportError } from "./output/errors.ts";
import { VERSION } from "./version.ts";

const EXAMPLES = `
Examples:
  $ tsimg demo                                  see the whole story in a few seconds
  $ tsimg pull alpine                           fetch an image and unpack it
  $ tsimg run --rm -it alpine sh                a shell in it
  $ tsimg run --rm --explain alpine true        every system call of a start
`;

/** Exit status of a command line that makes no sense, as with docker. */
const USAGE_STATUS = 125;

/**
 * Only the module of the command that is asked for is loaded, all of them for the help.
 */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command("tsimg")
    .description("OCI images, snapshots and containers, built around their storage drivers")
    .option("--root <dir>", "the store's directory (TSIMG_ROOT; default /var/lib/tsimg)")
    .option("--runroot <dir>", "directory for the state of running containers (default /run/tsimg)")
    .option("--debug", "show stacks of errors")
    .version(`tsimg version ${VERSION}`, "-v, --version", "print the version")
    .enablePositionalOptions()
    .showHelpAfterError("(tsimg --help lists the commands)")
    .addHelpText("after", EXAMPLES)
    .exitOverride();
  const wanted = firstWord(argv);
  const names = wanted !== undefined && wanted in COMMANDS ? [wanted] : Object.keys(COMMANDS);
  for (const name of names) {
    const module = await COMMANDS[name]?.();
    if (module !== undefined) program.addCommand(module.command().exitOverride());
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_STATUS;
    return reportError(error, process.stderr, { debug: program.opts()["debug"] === true });
  }
}

/** The command's name: the first argument that is neither an option nor an option's value. */
function firstWord(argv: readonly string[]): string | undefined {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index];
    if (word === "--root" || word === "--runroot") index += 1;
    else if (word?.startsWith("-") !== true) return word;
  }
  return undefined;
}

void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
