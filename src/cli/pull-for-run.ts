import type { StorageOptions } from "../../drivers/driver.ts";
import { type App, builtProgram } from "../app.ts";
import type { Image } from "../image/image-store.ts";
import { unpackImage } from "../image/unpack-image.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { interruptible } from "./globals.ts";
import { createPullProgress } from "./output/progress.ts";
import { maxLayerBytes, pullFromRegistry } from "./registry-pull.ts";

export interface RunPullFlags {
  readonly platform?: string;
  /** By its name in the database. */
  readonly driver: string;
  readonly storage: StorageOptions;
  readonly plainHttp?: true;
  readonly quiet?: boolean;
  readonly pull: "always" | "missing" | "never";
}

/** Pulls an image that is about to be run; all that it prints goes to standard error. */
export async function pullForRun(app: App, image: string, flags: RunPullFlags): Promise<void> {
  const reference = parseReference(image);
  const quiet = flags.quiet === true;
  if (flags.pull === "missing" && !quiet)
    process.stderr.write(`Unable to find image '${formatReference(reference)}' locally\n`);
  const progress = createPullProgress(process.stderr, { quiet });
  try {
    await interruptible((signal) =>
      pullFromRegistry(app, {
        reference,
        platform: flags.platform,
        driver: flags.driver,
        storage: flags.storage,
        parallel: 3,
        plainHttp: flags.plainHttp === true,
        signal,
        progress,
      }),
    );
  } finally {
    progress.close();
  }
}

/** Unpacks an image that is here into one more driver. */
export async function unpackForRun(
  app: App,
  name: string,
  image: Image,
  { driver, storage, quiet = false }: RunPullFlags,
): Promise<void> {
  if (!quiet) process.stderr.write(`Unpacking image '${name}' into ${driver}\n`);
  const progress = createPullProgress(process.stderr, { quiet });
  const { database, paths, content, snapshots, images } = app;
  const context = { database, paths, content, snapshots, images };
  try {
    await interruptible((signal) =>
      unpackImage({ ...context, unpackProgram: builtProgram("unpack.cjs") }, image, {
        name,
        driver,
        storage,
        maxLayerBytes: maxLayerBytes(),
        signal,
        onLayers: (layers) => progress.layers(layers),
        onEvent: (event) => progress.event(event),
      }),
    );
  } finally {
    progress.close();
  }
}
