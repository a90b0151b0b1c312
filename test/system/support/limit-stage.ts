import { chmodSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { busyboxLayer } from "./busybox-image.ts";
import { ImageServer } from "./image-server.ts";
import { lastingTraces } from "./leftovers.ts";
import { temporaryDirectory } from "./temporary.ts";
import { Tsimg } from "./tsimg.ts";

export interface Inspection {
  readonly State: Readonly<Record<string, unknown>>;
  readonly HostConfig: Readonly<Record<string, unknown>>;
}

/** Who the containers are of, where it isn't root; disposing twice does no harm. */
export interface Owner extends Disposable {
  /** Where the store and what containers write to are, in a directory of that user's. */
  readonly directory: string;
  /** Of version 2, below which the containers' groups are. */
  readonly groups: string;
  tsimg(root: string): Tsimg;
}

/** A store with an image of busybox alone, for containers with limits. */
export class LimitStage implements AsyncDisposable {
  readonly tsimg: Tsimg;
  readonly image: string;
  /** A directory of the host, for containers to write to. */
  readonly shared: string;
  private readonly resources: AsyncDisposableStack;
  private readonly started: string[] = [];

  private readonly owner: Owner | undefined;
  private readonly groups: string;

  private constructor(
    path: string,
    image: string,
    owner: Owner | undefined,
    resources: AsyncDisposableStack,
  ) {
    const root = join(path, "store");
    this.tsimg = owner?.tsimg(root) ?? new Tsimg(root);
    this.owner = owner;
    this.groups = owner?.groups ?? "/sys/fs/cgroup";
    this.shared = join(path, "shared");
    this.image = image;
    this.resources = resources;
  }

  /** @param owner is disposed of with the stage */
  static async open(owner?: Owner): Promise<LimitStage> {
    await using resources = new AsyncDisposableStack();
    const path = owner?.directory ?? resources.use(temporaryDirectory()).path;
    resources.use(owner);
    const server = resources.use(await ImageServer.start());
    const image = server.add("limits", { layers: [busyboxLayer()] });
    const stage = new LimitStage(path, image, owner, resources.move());
    mkdirSync(stage.shared);
    // For whoever root of a container is.
    chmodSync(stage.shared, 0o777);
    await stage.tsimg.output("pull", "-q", image);
    return stage;
  }

  /** Starts a shell in the background. @returns the container's ID */
  async start(flags: readonly string[], script: string): Promise<string> {
    const words = ["-v", `${this.shared}:/shared`, this.image, "sh", "-c", script];
    const id = (await this.tsimg.output("run", "-d", ...flags, ...words)).trim();
    this.started.push(id);
    return id;
  }

  /** What a shell in a container prints, errors too. */
  async shell(flags: readonly string[], script: string): Promise<string> {
    const words = [this.image, "sh", "-c", `exec 2>&1; ${script}`];
    const { stdout, stderr } = await this.tsimg.run("run", "--rm", ...flags, ...words);
    return stdout.toString() + stderr.toString();
  }

  /** A file of a container's cgroup: in its version 1 hierarchy, or else the version 2 tree. */
  groupText(id: string, hierarchy: string, v1: string, v2: string): string {
    const old = join("/sys/fs/cgroup", hierarchy, "tsimg", id, v1);
    const path = existsSync(old) ? old : join(this.groups, "tsimg", id, v2);
    return readFileSync(path, "latin1").trim();
  }

  async inspect(id: string): Promise<Inspection> {
    return (JSON.parse(await this.tsimg.output("inspect", id)) as Inspection[])[0] as Inspection;
  }

  async until(happened: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await happened())) await sleep(50);
  }

  async ended(id: string): Promise<Inspection> {
    await this.until(async () => (await this.inspect(id)).State["Status"] === "exited");
    return this.inspect(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _resources = this.resources;
    const ids = await this.tsimg.containers();
    if (ids.length > 0) await this.tsimg.output("rm", "-f", ...ids);
    this.owner?.[Symbol.dispose]();
    expect(await lastingTraces(this.tsimg.root, this.started)).toEqual([]);
  }
}
