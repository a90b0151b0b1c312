import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { runPlainLine } from "./plain-line.ts";

interface GroupOptions {
  readonly name: string;
  readonly description: string;
  /** The module of each action. */
  readonly actions: Readonly<Record<string, () => Promise<{ readonly command: () => Command }>>>;
  /** Other names of some. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** What the help says of the actions, with examples. */
  readonly help: string;
}

/** A command whose first argument says what to do, each of them a command of its own. */
export function commandGroup(group: GroupOptions): Command {
  const { name, actions, aliases = {} } = group;
  const names = Object.keys(actions);
  return new Command(name)
    .description(group.description)
    .argument("<action>", names.join(", "))
    .argument("[arguments...]", "what the action needs")
    .passThroughOptions()
    .addHelpText("after", group.help)
    .action(async (given: string, words: string[], _flags: object, outer: Command) => {
      const action = Object.hasOwn(aliases, given) ? aliases[given] : given;
      const load = action !== undefined && Object.hasOwn(actions, action) && actions[action];
      if (!load)
        throw new TsimgError("ERR_USAGE", `there is no '${name} ${given.slice(0, 64)}'`, {
          hint: `there are ${names.join(", ")}`,
        });
      const command = (await load()).command();
      const globals = outer.optsWithGlobals<object>();
      const status = await runPlainLine(command, { name: command.name, words, globals });
      process.exitCode = status ?? (await withCommander(command, words));
    });
}

async function withCommander(command: Command, words: readonly string[]): Promise<number> {
  const { parseWithCommander } = await import("./commander.ts");
  const status = await parseWithCommander([command], [command.name, ...words]);
  return status ?? Number(process.exitCode ?? 0);
}
