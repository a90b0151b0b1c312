import type { App } from "../app.ts";
import { TsimgError } from "../sys/error.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { inspectContainer } from "./inspect-container.ts";
import { inspectImage } from "./inspect-image.ts";
import { reportError } from "./output/errors.ts";
import { renderObjects } from "./output/format.ts";
import { print } from "./output/print.ts";

interface Flags {
  readonly format?: string;
  readonly type?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg inspect web
  $ tsimg inspect --format '{{.GraphDriver.Data.UpperDir}}' web
  $ tsimg inspect --type image --format '{{json .RootFS.Layers}}' alpine
`;

/** `tsimg inspect` */
export function command(): Command {
  return new Command("inspect")
    .description("print all that is known of containers and images, with the driver's paths")
    .argument("<name...>", "names or IDs of containers or images")
    .option("-f, --format <format>", "json, or a template such as '{{.Id}}'")
    .option("--type <type>", "container or image; else whichever has the name, containers first")
    .addHelpText("after", EXAMPLES)
    .action((names: string[], flags: Flags, command: Command) => {
      using app = openApp(command);
      const found: object[] = [];
      for (const name of names) {
        try {
          found.push(inspect(app, name, flags.type));
        } catch (error) {
          reportError(error, process.stderr, {
            debug: command.optsWithGlobals()["debug"] === true,
          });
          process.exitCode = 1;
        }
      }
      print(renderObjects(found, flags.format));
    });
}

function inspect(app: App, name: string, type: string | undefined): object {
  if (type !== undefined && type !== "image" && type !== "container")
    throw new TsimgError("ERR_USAGE", `--type '${type}' is neither image nor container`);
  if (type === "container") return inspectContainer(app, app.containers.existing(name));
  const container = type === "image" ? undefined : app.containers.find(name);
  if (container !== undefined) return inspectContainer(app, container);
  const image = app.images.find(name);
  if (image !== undefined) return inspectImage(app, image.image);
  const what = type === "image" ? "image" : "container or image";
  throw new TsimgError("ERR_NO_SUCH_IMAGE", `no such ${what}: '${name}'`, {
    hint: '"tsimg ps -a" and "tsimg images" list what there is',
  });
}
