import { randomBytes } from "node:crypto";
import { App } from "../../../src/app.ts";
import { NO_CHAIN } from "../../../src/image/image-store.ts";
import { sha256Digest } from "../../../src/oci/digest.ts";
import type { ContainerOptions } from "../../../src/runtime/container/container.ts";
import { NO_RESTART } from "../../../src/runtime/container/restart-policy.ts";
import { parseNetworkFlags } from "../../../src/runtime/network/network-request.ts";
import { ownIdentity } from "../../../src/store/process-identity.ts";
import { NO_FLAGS } from "../../unit/runtime/no-flags.ts";

/** Removes every unpacked layer of the store at `root`; names, manifests and blobs stay. */
export function dropLayers(root: string): void {
  using app = new App({ root });
  // Children first.
  for (const { id, kind } of app.snapshots.walk().toReversed())
    if (kind === "committed") app.snapshots.remove(id);
}

/** Of a container that was made with no flags. */
const OPTIONS: ContainerOptions = {
  ...{ command: ["sh", "-c", "exit 0"], stopSignal: "SIGTERM", stopTimeout: null },
  ...{ tty: false, interactive: false, detached: true, init: false, labels: {} },
  ...{ cgroups: [], logFile: null, detachKeys: null, pidFile: null, runtime: null },
  ...{ health: null, restart: NO_RESTART, network: parseNetworkFlags(NO_FLAGS) },
  ...{ exposed: [], joins: {}, maps: null, points: [] },
};

/** Makes a store at `root` that lists `count` images and as many containers that have ended. */
export function fillStore(root: string, count: number): void {
  using app = new App({ root });
  for (let index = 0; index < count; index++) addEntries(app, index);
}

function addEntries(app: App, index: number): void {
  const created = new Date(Date.UTC(2024, 0, 1, 0, index)).toISOString();
  const config = JSON.stringify({ architecture: "amd64", os: "linux", created, config: {} });
  const manifest = sha256Digest(Buffer.from(`manifest ${index}`));
  const name = `registry.example/team/image-${index}:latest`;
  app.images.put(
    name,
    manifest,
    {
      digest: manifest,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      configDigest: sha256Digest(Buffer.from(config)),
      ...{ config, created, architecture: "amd64", os: "linux", variant: null },
      size: 100_000_000 + index,
      chainId: NO_CHAIN,
    },
    [],
  );
  const exit = { exitCode: 0, signal: 0, oomKilled: false, finishedAt: created };
  app.database.run(
    `insert into containers
       (id, name, image, manifest, snapshot, created, auto_remove, owner, options, exit)
     values (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)`,
    ...[randomBytes(32).toString("hex"), `container-${index}`, name, manifest],
    app.snapshots.prepare("overlay2", null, "active"),
    created,
    ownIdentity(),
    JSON.stringify(OPTIONS),
    JSON.stringify(exit),
  );
}
