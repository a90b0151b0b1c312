import type { App } from "../app.ts";
import { parseImageConfig } from "../oci/image-config.ts";
import { parsePlatform } from "../oci/platform.ts";
import type { ContainerImage } from "../runtime/container/container.ts";
import { TsimgError } from "../sys/error.ts";
import { type Command, Option } from "./command.ts";
import type { RunPullFlags } from "./pull-for-run.ts";
import { announceFullCopies } from "./storage-flags.ts";

export interface PullChoice {
  readonly pull: "always" | "missing" | "never";
  readonly platform?: string;
  readonly plainHttp?: true;
  readonly quiet?: boolean;
}

/** Options that decide whether and how an image is pulled before a container is made of it. */
export function pullOptions(command: Command): Command {
  const pull = new Option("--pull <when>", "pull before running")
    .choices(["always", "missing", "never"])
    .default("missing");
  return command
    .addOption(pull)
    .option("-q, --quiet", "print nothing about a pull")
    .option("--platform <os/arch[/variant]>", "which image of an index to pull")
    .option("--plain-http", "speak HTTP to the registry, not HTTPS")
    .option("--disable-content-trust", "accepted and without effect: nothing is signed");
}

/**
 * The image that a container is to be made of: as it is here, or after a pull.
 *
 * @throws TsimgError ERR_NO_SUCH_IMAGE, and what a pull throws
 */
export async function imageToRun(
  app: App,
  text: string,
  flags: RunPullFlags,
): Promise<ContainerImage> {
  const isWanted = flags.pull !== "always" && fitsPlatform(app, text, flags.platform);
  const here = isWanted ? runnable(app, text, flags.driver) : undefined;
  if (here !== undefined) return here;
  const known = app.images.find(text)?.image;
  if (flags.pull === "never" && (known === undefined || !isWanted))
    throw new TsimgError("ERR_NO_SUCH_IMAGE", `no such image: '${text}'${ofPlatform(flags)}`, {
      hint: "pull it first, or run with --pull missing",
    });
  const { pullForRun, unpackForRun } = await import("./pull-for-run.ts");
  const image = isWanted ? known : undefined;
  announceFullCopies(app, flags.driver);
  if (image === undefined) await pullForRun(app, text, flags);
  else await unpackForRun(app, text, image, flags);
  const pulled = runnable(app, text, flags.driver);
  if (pulled !== undefined) return pulled;
  throw new TsimgError("ERR_NO_SUCH_IMAGE", `image '${text}' was removed while it was pulled`);
}

/** Whether what is here by that name is for the platform that was asked for. */
function fitsPlatform(app: App, text: string, platform: string | undefined): boolean {
  if (platform === undefined) return true;
  const image = app.images.find(text)?.image;
  if (image === undefined) return true;
  const { os, architecture, variant } = parsePlatform(platform);
  const isSame = image.os === os && image.architecture === architecture;
  return isSame && (variant === undefined || image.variant === null || image.variant === variant);
}

function ofPlatform({ platform }: RunPullFlags): string {
  return platform === undefined ? "" : ` for ${platform}`;
}

/** The image, when it is here and unpacked in the driver. */
function runnable(app: App, text: string, driver: string): ContainerImage | undefined {
  const found = app.images.find(text);
  if (found === undefined) return undefined;
  const { image } = found;
  const top = image.chainId === "" ? undefined : app.snapshots.byChain(driver, image.chainId);
  if (image.chainId !== "" && top === undefined) return undefined;
  const accounts = top === undefined ? undefined : app.snapshots.accounts(top.id);
  const texts = JSON.parse(accounts ?? "{}") as { passwd?: string; group?: string };
  return {
    name: text,
    manifest: image.digest,
    config: parseImageConfig(Buffer.from(image.config)).config,
    driver,
    top: top?.id ?? null,
    accounts: {
      ...(texts.passwd !== undefined && { passwd: Buffer.from(texts.passwd) }),
      ...(texts.group !== undefined && { group: Buffer.from(texts.group) }),
    },
  };
}
