import { join } from "node:path";
import { App } from "../../../src/app.ts";
import type { LayerEvent } from "../../../src/image/events.ts";
import { type PullResult, pullImage } from "../../../src/image/pull.ts";
import { hostPlatform } from "../../../src/oci/platform.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import { RegistryClient } from "../../../src/registry/client.ts";

const UNPACK = join(import.meta.dirname, "../../../src/layer/unpack-main.ts");

export interface TestPull {
  readonly driver?: string;
  readonly maxLayerBytes?: number;
  readonly parallel?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: LayerEvent) => void;
}

/** Pulls into the store at `root` within this process, so that errors are at hand. */
export async function pullInto(
  root: string,
  reference: string,
  options: TestPull = {},
): Promise<PullResult> {
  using app = new App({ root });
  using client = new RegistryClient({ userAgent: "tsimg-test" });
  const { database, paths, content, snapshots, images } = app;
  return await pullImage(
    { database, paths, content, snapshots, images, client, unpackProgram: UNPACK },
    {
      reference: parseReference(reference),
      platform: hostPlatform(),
      platformAsked: false,
      driver: options.driver ?? "overlay2",
      storage: {},
      parallel: options.parallel ?? 3,
      maxLayerBytes: options.maxLayerBytes ?? 1 << 30,
      signal: options.signal ?? new AbortController().signal,
      onEvent: options.onEvent ?? (() => {}),
      onLayers: () => {},
    },
  );
}

const TABLES = [
  ...["content", "ingests", "manifests", "manifest_layers", "images"],
  ...["snapshots", "containers", "leases", "lease_holds"],
] as const;

/** What the database of a store holds, as `table: row` lines. */
export function rowsOf(root: string): readonly string[] {
  using app = new App({ root });
  return TABLES.flatMap((table) =>
    app.database.all(`select * from ${table}`).map((row) => `${table}: ${JSON.stringify(row)}`),
  );
}
