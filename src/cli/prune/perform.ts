import type { App } from "../../app.ts";
import { pruneImages } from "../../image/prune-images.ts";
import { parseImageConfig } from "../../oci/image-config.ts";
import { pruneContainers } from "../../runtime/container/prune-containers.ts";
import { pruneNetworks } from "../../runtime/network/prune-networks.ts";
import { pruneVolumes } from "../../runtime/volume/prune-volumes.ts";
import { VolumeStore } from "../../runtime/volume/volume-store.ts";
import { recordEvent } from "../../store/events.ts";
import type { Prunable } from "./prune-filter.ts";

/** What a prune has removed, as lines, and what that took on the disk. */
export interface Removed {
  readonly lines: readonly string[];
  readonly bytes: number;
}

type Fits = (thing: Prunable) => boolean;

export function removeContainers(app: App, fits: Fits): Removed {
  const { snapshots } = app;
  const { removed, bytes } = pruneContainers(
    app.containers,
    ({ row }) => snapshots.usage(row.snapshot).bytes,
    ({ row, options }) => fits({ labels: options.labels, created: row.created }),
  );
  return told(app, "container", { lines: removed, bytes });
}

export function removeNetworks(app: App, fits: Fits): Removed {
  const lines = pruneNetworks(app.containers.networks, ({ labels, created }) => {
    return fits({ labels: JSON.parse(labels) as Record<string, string>, created });
  });
  return told(app, "network", { lines, bytes: 0 });
}

/** @param all also those that somebody named */
export function removeVolumes(app: App, fits: Fits, all: boolean): Removed {
  const store = new VolumeStore(app.database, app.paths);
  const { removed, bytes } = pruneVolumes(store, (volume) => {
    return (all || volume.anonymous) && fits(volume);
  });
  return told(app, "volume", { lines: removed, bytes });
}

/** @param all also those that have a name */
export function removeImages(app: App, fits: Fits, all: boolean): Removed {
  const wanted = pruneImages(app, all, ({ config, created }) => {
    return fits({ labels: parseImageConfig(Buffer.from(config)).config.Labels, created });
  });
  return told(app, "image", wanted);
}

/** The part of a prune's output about one kind of thing. */
export function section(what: string, { lines }: Removed): string {
  return lines.length === 0 ? "" : `Deleted ${what}:\n${lines.join("\n")}\n\n`;
}

function told(app: App, type: string, removed: Removed): Removed {
  const attributes = { reclaimed: String(removed.bytes) };
  app.database.transaction(() => {
    recordEvent(app.database, { type, action: "prune", actor: "", attributes });
  });
  return removed;
}
