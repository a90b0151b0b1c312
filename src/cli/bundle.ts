import { createBundle } from "../runtime/bundle/create-bundle.ts";
import { requireKernel } from "../sys/kernel.ts";
import { Command } from "./command.ts";
import { openApp } from "./globals.ts";
import { imageToRun, type PullChoice, pullOptions } from "./image-to-run.ts";
import { requireRoot } from "./require-root.ts";
import { type ContainerFlags, containerOptions, runFlagsOf } from "./run-flags/container.ts";
import { parseStorageOptions } from "./storage-flags.ts";

interface Flags extends ContainerFlags, PullChoice {}

const EXAMPLES = `
Examples:
  $ tsimg bundle alpine ./alpine && runc run --bundle ./alpine test
  $ tsimg bundle --read-only --memory 64m alpine ./alpine echo hello
`;

/** `tsimg bundle` */
export function command(): Command {
  const bundle = new Command("bundle")
    .description("write an OCI bundle of an image, for any OCI runtime")
    .argument("<image>", "name or ID of the image")
    .argument("<directory>", "where to; a new or empty one")
    .argument("[command...]", "replaces the image's command")
    .passThroughOptions();
  return pullOptions(containerOptions(bundle))
    .helpOption("--help", "show this help")
    .addHelpText("after", EXAMPLES)
    .action(
      async (
        name: string,
        directory: string,
        words: string[],
        flags: Flags,
        command: Command,
      ): Promise<void> => {
        requireRoot("writing a bundle");
        requireKernel();
        using app = openApp(command);
        const storage = parseStorageOptions(flags.storageOpt);
        const driver = app.chooseDriver(flags.driver);
        const image = await imageToRun(app, name, { ...flags, driver, storage });
        createBundle(app, image, runFlagsOf(flags, words, storage, false), directory);
      },
    );
}
