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
import type { UserImage } from "./user-image.ts";

const MAX_LAYER_BYTES = 64 * 1024 ** 3;

/** Images and commands for the suites that need more than a driver. */
export class Stage implements AsyncDisposable {
  private readonly app: App;
  private readonly environment: Readonly<Record<string, string>>;
  private readonly images: BenchImages;
  private readonly signal: AbortSignal;
  /** Run in place of the generated images that have programs. */
  private readonly own: UserImage | undefined;

  constructor(
    { app, environment, directory }: Workspace,
    seed: number,
    signal: AbortSignal,
    own?: UserImage,
  ) {
    this.app = app;
    this.environment = environment;
    this.images = new BenchImages(join(directory, "images"), seed);
    this.signal = signal;
    this.own = own;
  }

  /** What a container does: a generated image's takes a command, a user's has its own. */
  task(...command: readonly string[]): readonly string[] {
    return this.own === undefined ? command : [];
  }

  /** Runs tsimg on the bench's store. */
  tsimg(args: readonly string[], until?: "first output"): Promise<CommandRun> {
    return runTsimg(args, this.environment, this.signal, until);
  }

  /** What an image is called. */
  async reference(kind: ImageKind): Promise<string> {
    const isRun = kind === "programs" || kind === "data";
    return isRun && this.own !== undefined ? this.own.reference : this.images.reference(kind);
  }

  /** Pulls an image and unpacks it on a place. @returns its name */
  async pull(kind: ImageKind, { driverName }: Place): Promise<string> {
    const name = await this.reference(kind);
    const secure = this.own?.reference === name && !this.own.plainHttp;
    const flags = ["-q", ...(secure ? [] : ["--plain-http"]), "--driver", driverName];
    await this.tsimg(["pull", ...flags, name]);
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

  /** Bytes of an image's files. */
  size(name: string): number {
    return this.image(name).size;
  }

  /**
   * Takes an image out of the store, with its content. One that isn't there is no error. Not
   * for suites with chains of their own: snapshots that the store doesn't know go as well.
   */
  async forget(name: string): Promise<void> {
    if (this.app.images.find(name) !== undefined) await this.tsimg(["rmi", "-f", name]);
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
