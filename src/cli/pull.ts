import { formatReference, parseReference } from "../oci/reference.ts";
import { parseSize } from "../runtime/sizes.ts";
import { Command, InvalidArgumentError } from "./command.ts";
import { interruptible, openApp } from "./globals.ts";
import { createPullProgress } from "./output/progress.ts";
import { pullFromRegistry } from "./registry-pull.ts";
import { requireRoot } from "./require-root.ts";
import { each, NONE } from "./run-flags/each.ts";
import { announceFullCopies, parseStorageOptions } from "./storage-flags.ts";

interface PullFlags {
  readonly platform?: string;
  readonly driver?: string;
  readonly storageOpt: readonly string[];
  readonly quiet?: boolean;
  readonly plainHttp?: boolean;
  readonly maxConcurrentDownloads: number;
  readonly maxLayerSize?: string;
}

const EXAMPLES = `
Examples:
  $ tsimg pull alpine
  $ tsimg pull --platform linux/arm64 debian:12
  $ tsimg pull --driver zfs --storage-opt compression=zstd debian:12
  $ tsimg pull 127.0.0.1:5000/team/app@sha256:…
`;

/** \`tsimg pull\`: what a pull does stands in src/image/pull.ts. */
export function command(): Command {
  return new Command("pull")
    .description("fetch an image and unpack its layers into the storage driver")
    .argument("<image>", "reference, e.g. alpine:3.20 or registry.example/team/app@sha256:…")
    .option("--platform <os/arch[/variant]>", "which image of an index to take")
    .option("--driver <name[:pool]>", "storage driver to unpack into (TSIMG_DRIVER)")
    .option("--storage-opt <key=value>", "what the driver shall do for this image", each, NONE)
    .option("-q, --quiet", "print the digest only")
    .option("--plain-http", "speak HTTP to the registry, not HTTPS")
    .option("--max-concurrent-downloads <n>", "layers fetched at the same time", count, 3)
    .option("--max-layer-size <size>", "refuse layers that unpack to more (TSIMG_MAX_LAYER_BYTES)")
    .addHelpText("after", EXAMPLES)
    .action(async (image: string, flags: PullFlags, command: Command) => {
      requireRoot("unpacking layers, whose files belong to many users,");
      using app = openApp(command);
      const reference = parseReference(image);
      const driver = app.chooseDriver(flags.driver);
      announceFullCopies(app, driver);
      const progress = createPullProgress(process.stdout, { quiet: flags.quiet === true });
      try {
        if (flags.quiet !== true && reference.tag !== undefined)
          progress.line(`${reference.tag}: Pulling from ${reference.repository}`);
        const result = await interruptible((signal) =>
          pullFromRegistry(app, {
            reference,
            platform: flags.platform,
            driver,
            storage: parseStorageOptions(flags.storageOpt),
            parallel: flags.maxConcurrentDownloads,
            plainHttp: flags.plainHttp === true,
            signal,
            progress,
            ...(flags.maxLayerSize !== undefined && {
              maxLayerBytes: parseSize(flags.maxLayerSize, "--max-layer-size"),
            }),
          }),
        );
        progress.close();
        if (flags.quiet === true) process.stdout.write(`${result.target}\n`);
        else {
          const state = result.changed ? "Downloaded newer image" : "Image is up to date";
          process.stdout.write(
            `Digest: ${result.target}\nStatus: ${state} for ${formatReference(reference)}\n`,
          );
        }
      } finally {
        progress.close();
      }
    });
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 100)
    throw new InvalidArgumentError("it is a number from 1 to 100");
  return value;
}
