import type { App } from "../app.ts";
import { VolumeStore } from "../runtime/volume/volume-store.ts";
import { TsimgError } from "../sys/error.ts";
import { inspectContainer } from "./inspect-container.ts";
import { inspectImage } from "./inspect-image.ts";
import { describeNetwork } from "./network/inspect.ts";
import { describeVolume } from "./volume/inspect.ts";

/** What can be inspected, in the order in which a name is looked for. */
export const KINDS = ["container", "image", "network", "volume"] as const;

export type Kind = (typeof KINDS)[number];

type Look = (app: App, name: string, withSize: boolean) => object | undefined;

const LOOKS: Readonly<Record<Kind, Look>> = {
  container: (app, name, withSize) => {
    const container = app.containers.find(name);
    if (container === undefined) return undefined;
    const shown = inspectContainer(app, container);
    return withSize ? { ...shown, ...sizesOf(app, container) } : shown;
  },
  image: (app, name) => {
    const found = app.images.find(name);
    return found === undefined ? undefined : inspectImage(app, found.image);
  },
  network: (app, name) => {
    try {
      return describeNetwork(app, name);
    } catch (error) {
      if (error instanceof TsimgError && error.code === "ERR_NO_SUCH_NETWORK") return undefined;
      throw error;
    }
  },
  volume: (app, name) => {
    const store = new VolumeStore(app.database, app.paths);
    const volume = store.find(name);
    return volume === undefined ? undefined : describeVolume(volume, store);
  },
};

/**
 * What is known of whatever has the name.
 *
 * @throws TsimgError ERR_NO_SUCH_IMAGE when nothing of these kinds has it
 */
export function inspectAny(
  app: App,
  name: string,
  kinds: readonly Kind[],
  withSize: boolean,
): object {
  for (const kind of kinds) {
    const found = LOOKS[kind](app, name, withSize);
    if (found !== undefined) return found;
  }
  const [kind = "", other] = kinds;
  const what = other === undefined ? kind : "container, image, network or volume";
  throw new TsimgError("ERR_NO_SUCH_IMAGE", `no such ${what}: '${name}'`, {
    hint: '"tsimg ps -a", "tsimg images", "tsimg network ls" and "tsimg volume ls" list them',
  });
}

/** Bytes that the container wrote, and all that it sees, as docker names them. */
function sizesOf(app: App, { row }: NonNullable<ReturnType<App["containers"]["find"]>>): object {
  const own = app.snapshots.usage(row.snapshot).bytes;
  const image = app.images.find(row.manifest)?.image.size ?? 0;
  return { SizeRw: own, SizeRootFs: own + image };
}
