import { createContainer } from "../runtime/container/create-container.ts";
import { requireKernel } from "../sys/kernel.ts";
import { Command } from "./command.ts";
import { createContext } from "./create-context.ts";
import { openApp } from "./globals.ts";
import { imageToRun, type PullChoice, pullOptions } from "./image-to-run.ts";
import { requireRoot } from "./require-root.ts";
import { type ContainerFlags, containerOptions, runFlagsOf } from "./run-flags/container.ts";
import { parseStorageOptions } from "./storage-flags.ts";

interface Flags extends ContainerFlags, PullChoice {}

const EXAMPLES = `
Examples:
  $ tsimg create --name web -p 8080:80 httpd
  $ tsimg start web
`;

/** `tsimg create`: as run, but for the start. */
export function command(): Command {
  const create = new Command("create")
    .description("make a container of an image, to be started later")
    .argument("<image>", "name or ID of the image")
    .argument("[command...]", "replaces the image's command")
    .passThroughOptions();
  return pullOptions(containerOptions(create))
    .helpOption("--help", "show this help")
    .addHelpText("after", EXAMPLES)
    .action(async (name: string, words: string[], flags: Flags, command: Command) => {
      requireRoot("making a container");
      requireKernel();
      using app = openApp(command);
      const storage = parseStorageOptions(flags.storageOpt);
      const driver = app.chooseDriver(flags.driver);
      const image = await imageToRun(app, name, { ...flags, driver, storage });
      app.containers.clearUp();
      const runFlags = runFlagsOf(flags, words, storage, true);
      const { id } = createContainer(createContext(app), image, runFlags, false);
      process.stdout.write(`${id}\n`);
    });
}
