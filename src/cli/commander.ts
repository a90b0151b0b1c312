import * as commander from "commander";
import { type Argument, type Command, InvalidArgumentError, type Option } from "./command.ts";
import { ARGUMENTS_STATUS } from "./failure-status.ts";
import { VERSION } from "./version.ts";

const EXAMPLES = `
Examples:
  $ tsimg demo                                  see the whole story in a few seconds
  $ tsimg pull alpine                           fetch an image and unpack it
  $ tsimg run --rm -it alpine sh                a shell in it
  $ tsimg run --rm --explain alpine true        every system call of a start
`;

/** The commands by what they are about; their order here is that of the help. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  "Images:": ["pull", "images", "rmi", "history", "tree", "which", "mount", "umount", "serve"],
  "Containers:": ["run", "create", "start", "stop", "restart", "kill", "wait", "rm", "ps"],
  "In and around containers:": ["exec", "attach", "logs", "cp", "top", "stats", "inspect", "port"],
  "Changing containers:": ["pause", "unpause", "update", "rename"],
  "Storage and networks:": ["volume", "network", "pool", "prune", "doctor", "bench"],
  "As docker has them, too:": ["container", "image", "system"],
  "For other programs:": ["bundle", "oci"],
  "About:": ["demo", "events", "info", "version"],
};

/** Exit status of a line with options that make no sense, as with docker. */
const OPTIONS_STATUS = 125;

/** Commander's complaints about words that aren't options. */
const ABOUT_ARGUMENTS: readonly string[] = [
  "commander.missingArgument",
  "commander.excessArguments",
  "commander.unknownCommand",
];

/**
 * Reads a command line with commander: its help, its complaints, its suggestions.
 *
 * @returns the exit status when there is nothing more to do, else undefined
 */
export async function parseWithCommander(
  commands: readonly Command[],
  argv: readonly string[],
): Promise<number | undefined> {
  const program = new commander.Command("tsimg")
    .description("OCI images, snapshots and containers, built around their storage drivers")
    .option("--root <dir>", "the store's directory (TSIMG_ROOT; default /var/lib/tsimg)")
    .option("--runroot <dir>", "directory for the state of running containers (default /run/tsimg)")
    .option("--debug", "show stacks of errors")
    .version(`tsimg version ${VERSION}`, "-v, --version", "print the version")
    .enablePositionalOptions()
    .showHelpAfterError("hint: tsimg --help lists the commands")
    .configureOutput({ outputError: sayAsTsimg })
    .addHelpText("after", EXAMPLES)
    .exitOverride()
    .commandsGroup("About:")
    .helpCommand("help [command]", "show the help of a command")
    // Their options are their own help's business.
    .configureHelp({ subcommandTerm: (command) => command.name() });
  for (const command of byGroup(commands)) program.addCommand(command);
  if (argv.length === 0) {
    program.outputHelp();
    return 0;
  }
  try {
    await program.parseAsync(argv, { from: "user" });
    return undefined;
  } catch (error) {
    if (!(error instanceof commander.CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    return ABOUT_ARGUMENTS.includes(error.code) ? ARGUMENTS_STATUS : OPTIONS_STATUS;
  }
}

function byGroup(commands: readonly Command[]): readonly commander.Command[] {
  const grouped = Object.entries(GROUPS).flatMap(([heading, names]) =>
    names.flatMap((name) => {
      const command = commands.find((each) => each.name === name);
      return command === undefined ? [] : [translate(command).helpGroup(heading)];
    }),
  );
  const known = new Set(Object.values(GROUPS).flat());
  return [...grouped, ...commands.filter(({ name }) => !known.has(name)).map(translate)];
}

/** Commander's complaints in the form of our own. */
function sayAsTsimg(text: string, write: (text: string) => void): void {
  write(text.replace(/^error: /, "tsimg: "));
}

function translate(command: Command): commander.Command {
  const real = new commander.Command(command.name)
    .description(command.summary)
    .passThroughOptions(command.passesThrough)
    .helpOption(command.helpFlags, "show this help")
    .addHelpText("after", command.examples)
    .showHelpAfterError(`hint: tsimg ${command.name} --help shows the options`)
    .configureOutput({ outputError: sayAsTsimg })
    .exitOverride();
  for (const argument of command.arguments) real.addArgument(translateArgument(argument));
  for (const option of command.options) real.addOption(translateOption(option));
  return real.action(async (...given: unknown[]) => {
    const values = given.slice(0, command.arguments.length);
    const globals = real.parent?.opts() ?? {};
    const flags = { ...defaultsOf(command), ...real.opts() };
    await command.run(values as (string | string[] | undefined)[], flags, globals);
  });
}

function translateArgument({ name, description }: Argument): commander.Argument {
  return new commander.Argument(name, description);
}

function translateOption(option: Option): commander.Option {
  const real = new commander.Option(option.flags, option.description);
  const { parser, defaultValue, allowed } = option;
  if (parser !== undefined)
    real.argParser((text: string, previous: unknown) => {
      try {
        return parser(text, (previous ?? defaultValue) as never);
      } catch (error) {
        if (!(error instanceof InvalidArgumentError)) throw error;
        throw new commander.InvalidArgumentError(error.message);
      }
    });
  if (allowed !== undefined) real.choices(allowed);
  if (option.group !== undefined) real.helpGroup(option.group);
  if (isTelling(option)) real.default(defaultValue, option.defaultShown);
  return real;
}

/** Whether the help should show a default: not that a switch is off and a list is empty. */
function isTelling({ defaultValue, negated }: Option): boolean {
  return (
    defaultValue !== undefined && defaultValue !== false && !Array.isArray(defaultValue) && !negated
  );
}

function defaultsOf(command: Command): object {
  const given = command.options.filter((option) => option.defaultValue !== undefined);
  return Object.fromEntries(given.map((option) => [option.member, option.defaultValue]));
}
