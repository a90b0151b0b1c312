import { join } from "node:path";
import type { SnapshotId } from "../../../drivers/driver.ts";
import { type App, builtProgram } from "../../app.ts";
import type { Image } from "../../image/image-store.ts";
import { removeUnpacked } from "../../image/remove-unpacked.ts";
import { unpackImage } from "../../image/unpack-image.ts";
import type { Place } from "../place/place.ts";
import type { Workspace } from "../workspace/workspace.ts";
import { BenchImages, type ImageKind } from "./images.ts";
import { type CommandRun, runTsimg } from "./tsimg-command.ts";

const MAX_LAYER_BYTES = 64 * 1024 ** 3;

/** Images and commands for the suites that need more than a driver. */
export class Stage implements AsyncDisposable {
  private readonly app: App;
  private readonly environment: Readonly<Record<string, string>>;
  private readonly images: BenchImages;
  private readonly signal: AbortSignal;

  constructor({ app, environment, directory }: Workspace, seed: number, signal: AbortSignal) {
    this.app = app;
    this.environment = environment;
    this.images = new BenchImages(join(directory, "images"), seed);
    this.signal = signal;
  }

  /** Runs tsimg on the bench's store. */
  tsimg(args: readonly string[], until?: "first output"): Promise<CommandRun> {
    return runTsimg(args, this.environment, this.signal, until);
  }

  /** Pulls an image and unpacks it on a place. @returns its name */
  async pull(kind: ImageKind, { driverName }: Place): Promise<string> {
    const name = await this.images.reference(kind);
    await this.tsimg(["pull", "-q", "--plain-http", "--driver", driverName, name]);
    return name;
  }

  /** Unpacks an image on one more place, from the store. */
  async unpack(name: string, { driverName }: Place): Promise<void> {
    const { database, paths, content, snapshots, images } = this.app;
    const context = { database, paths, content, snapshots, images };
    await unpackImage({ ...context, unpackProgram: builtProgram("unpack.cjs") }, this.image(name), {
      name,
      driver: driverName,
      storage: {},
      maxLayerBytes: MAX_LAYER_BYTES,
      signal: this.signal,
      onEvent: () => {},
      onLayers: () => {},
    });
  }

  /** Takes an image off a place. Its content stays in the store. */
  remove(name: string, { driverName }: Place): void {
    this.app.containers.clearUp();
    removeUnpacked(this.app, name, driverName);
  }

  /** The layers of an unpacked image, nearest first. */
  layers(name: string, { driverName }: Place): readonly SnapshotId[] {
    const { snapshots } = this.app;
    const top = snapshots.byChain(driverName, this.image(name).chainId);
    if (top === undefined) throw new Error(`${name} is not unpacked in ${driverName}`);
    return [top.id, ...snapshots.parents(top.id)];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.images[Symbol.asyncDispose]();
  }

  private image(name: string): Image {
    return this.app.images.existing(name).image;
  }
}
