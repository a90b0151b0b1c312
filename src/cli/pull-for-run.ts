import type { App } from "../app.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { interruptible } from "./globals.ts";
import { createPullProgress } from "./output/progress.ts";
import { pullFromRegistry } from "./registry-pull.ts";

export interface RunPullFlags {
  readonly platform?: string;
  readonly driver: string;
  readonly plainHttp?: true;
  readonly pull: "always" | "missing" | "never";
}

/** Pulls an image that is about to be run; all that it prints goes to standard error. */
export async function pullForRun(app: App, image: string, flags: RunPullFlags): Promise<void> {
  const reference = parseReference(image);
  if (flags.pull === "missing")
    process.stderr.write(`Unable to find image '${formatReference(reference)}' locally\n`);
  const progress = createPullProgress(process.stderr, {});
  try {
    await interruptible((signal) =>
      pullFromRegistry(app, {
        reference,
        platform: flags.platform,
        driver: flags.driver,
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
