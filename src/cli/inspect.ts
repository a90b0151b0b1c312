import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { inspectAny, KINDS, type Kind } from "./inspect-any.ts";
import { reportError } from "./output/errors.ts";
import { renderInspected } from "./output/format.ts";
import { print } from "./output/print.ts";

interface Flags {
  readonly format?: string;
  readonly type?: string;
  readonly size: boolean;
}

const EXAMPLES = `
Examples:
  $ tsimg inspect web
  $ tsimg inspect --format '{{.GraphDriver.Data.UpperDir}}' web
  $ tsimg inspect --type image --format '{{json .RootFS.Layers}}' alpine
`;

/** `tsimg inspect` */
export function command(): Command {
  return inspectCommand("inspect", KINDS);
}

/** @param all what the command finds unless it is told a type */
export function inspectCommand(name: string, all: readonly Kind[]): Command {
  return new Command(name)
    .description("print all that is known of containers and images, with the driver's paths")
    .argument("<name...>", "names or IDs of containers, images, networks or volumes")
    .option("-f, --format <format>", "json, or a template such as '{{.Id}}'")
    .option("-s, --size", "with what containers take on the disk", false)
    .option("--type <type>", `${KINDS.join(", ")}; else the first of these that has the name`)
    .addHelpText("after", EXAMPLES)
    .action((names: string[], { format, type, size }: Flags, command: Command) => {
      const kinds = type === undefined ? all : [kindOf(type)];
      using app = openApp(command);
      const found: object[] = [];
      for (const name of names) {
        try {
          found.push(inspectAny(app, name, kinds, size));
        } catch (error) {
          reportError(error, process.stderr, {
            debug: command.optsWithGlobals()["debug"] === true,
          });
          process.exitCode = 1;
        }
      }
      print(renderInspected(found, format));
    });
}

function kindOf(type: string): Kind {
  const kind = KINDS.find((each) => each === type);
  if (kind !== undefined) return kind;
  throw new TsimgError("ERR_USAGE", `--type '${type.slice(0, 64)}' is unknown`, {
    hint: `choose one of ${KINDS.join(", ")}`,
  });
}
