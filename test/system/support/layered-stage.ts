import { dir, file, link, opaque, remove, symlink } from "../../../fixtures/layers/change.ts";
import { layerTar } from "../../../fixtures/layers/layer-tar.ts";
import { missing } from "../../peers/requirements.ts";
import { busyboxLayer, hasBusybox } from "./busybox-image.ts";
import { ImageServer } from "./image-server.ts";
import { lastingTraces } from "./leftovers.ts";
import { temporaryDirectory } from "./temporary.ts";
import { Tsimg } from "./tsimg.ts";

/** Why tests on this stage can't run here; undefined when they can. */
export const absent = hasBusybox() ? missing([]) : "(needs a static busybox)";

/** What the image `app` is made of, the base layer first. */
const STEPS = [
  { created_by: "/bin/sh -c #(nop) ADD file:0123 in / " },
  { created_by: "ENV MODE=test", empty_layer: true },
  { created_by: "RUN /bin/sh -c make install # buildkit", comment: "buildkit.dockerfile.v0" },
  { created_by: `RUN /bin/sh -c ${"rm -rf everything && ".repeat(8)}true # buildkit` },
].map((step) => ({ created: "2024-01-01T00:00:00Z", ...step }));

/** A store with `base`, one layer, and `app`, two more layers on top of it, both pulled. */
export class LayeredStage implements AsyncDisposable {
  readonly tsimg: Tsimg;
  readonly base: string;
  readonly app: string;
  /** How often each blob was fetched. */
  readonly gets: ReadonlyMap<string, number>;
  private readonly resources: AsyncDisposableStack;

  private constructor(root: string, server: ImageServer, resources: AsyncDisposableStack) {
    this.resources = resources;
    this.gets = server.gets;
    this.tsimg = new Tsimg(root);
    const base = busyboxLayer();
    const add = [
      ...["lib", "usr", "usr/lib", "data", "data/old"].map((path) => dir(path)),
      file("usr/lib/tool", "first"),
      file("data/old/file", "12345"),
      file("data/kept", "kept"),
      symlink("usr/bin", "../bin"),
    ];
    const change = [
      file("usr/lib/tool", "second"),
      link("usr/lib/tool-2", "usr/lib/tool"),
      remove("data/old"),
      file("usr/bin/hello", "hello"),
      dir("etc", { mode: 0o700 }),
    ];
    const clear = [dir("data"), opaque("data"), file("data/new", "new"), remove("nothing")];
    const layers = [add, change, clear].map((changes) => ({ tar: layerTar(changes) }));
    this.base = server.add("base", { layers: [base] });
    this.app = server.add("app", {
      layers: [base, ...layers],
      history: [{ ...STEPS[0], created_by: "COPY busybox" }, ...STEPS],
    });
  }

  static async open(): Promise<LayeredStage> {
    await using resources = new AsyncDisposableStack();
    const directory = resources.use(temporaryDirectory());
    const server = resources.use(await ImageServer.start());
    const stage = new LayeredStage(directory.path, server, resources.move());
    await stage.pull();
    return stage;
  }

  async pull(): Promise<void> {
    for (const image of [this.base, this.app]) await this.tsimg.output("pull", "-q", image);
  }

  /** A command of which JSON is expected, an object a line. */
  async json(...args: string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const text = await this.tsimg.output(...args, "--format", "json");
    return text
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** What is still mounted or running because of this store. */
  traces(): Promise<readonly string[]> {
    return lastingTraces(this.tsimg.root);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tsimg.run("umount", "--all");
    await this.resources[Symbol.asyncDispose]();
  }
}
