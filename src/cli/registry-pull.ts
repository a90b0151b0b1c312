import type { StorageOptions } from "../../drivers/driver.ts";
import { type App, builtProgram } from "../app.ts";
import { type PullResult, pullImage } from "../image/pull.ts";
import { hostPlatform, parsePlatform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import { TsimgError } from "../sys/error.ts";
import type { PullProgress } from "./output/progress.ts";
import { requireRoot } from "./require-root.ts";
import { VERSION } from "./version.ts";

/** A layer may unpack to 64 GiB unless told otherwise. */
const DEFAULT_MAX_LAYER_BYTES = 64 * 1024 ** 3;

export interface RegistryPull {
  readonly reference: Reference;
  /** As `--platform` has it; this machine's when left out. */
  readonly platform: string | undefined;
  readonly driver: string;
  readonly storage?: StorageOptions;
  readonly parallel: number;
  readonly plainHttp: boolean;
  readonly maxLayerBytes?: number;
  readonly signal: AbortSignal;
  readonly progress: PullProgress;
}

/** Pulls with the registry client, which is loaded here, since it takes longest to load. */
export async function pullFromRegistry(app: App, pull: RegistryPull): Promise<PullResult> {
  requireRoot("unpacking layers, whose files belong to many users,");
  const { RegistryClient } = await import("../registry/client.ts");
  const { loginCredentials } = await import("../registry/credentials.ts");
  using client = new RegistryClient({
    plainHttp: pull.plainHttp,
    userAgent: `tsimg/${VERSION}`,
    credentials: loginCredentials(process.env),
  });
  const { database, paths, content, snapshots, images } = app;
  const context = { database, paths, content, snapshots, images, client };
  return pullImage(
    { ...context, unpackProgram: builtProgram("unpack.cjs") },
    {
      ...pull,
      storage: pull.storage ?? {},
      platform: pull.platform === undefined ? hostPlatform() : parsePlatform(pull.platform),
      platformAsked: pull.platform !== undefined,
      maxLayerBytes: pull.maxLayerBytes ?? maxLayerBytes(),
      onLayers: (layers) => pull.progress.layers(layers),
      onEvent: (event) => pull.progress.event(event),
    },
  );
}

/** Bytes that a layer may unpack to, unless a flag says otherwise. */
export function maxLayerBytes(): number {
  const text = process.env["TSIMG_MAX_LAYER_BYTES"];
  if (text === undefined || text === "") return DEFAULT_MAX_LAYER_BYTES;
  const bytes = Number(text);
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new TsimgError("ERR_USAGE", `TSIMG_MAX_LAYER_BYTES is '${text}', not a number of bytes`);
}
