import { existsSync, mkdirSync, readFileSync } from "node:fs";
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

/** A store with an image of busybox alone, for containers with limits. */
export class LimitStage implements AsyncDisposable {
  readonly tsimg: Tsimg;
  readonly image: string;
  /** A directory of the host, for containers to write to. */
  readonly shared: string;
  private readonly resources: AsyncDisposableStack;
  private readonly started: string[] = [];

  private constructor(path: string, image: string, resources: AsyncDisposableStack) {
    this.tsimg = new Tsimg(join(path, "store"));
    this.shared = join(path, "shared");
    this.image = image;
    this.resources = resources;
  }

  static async open(): Promise<LimitStage> {
    await using resources = new AsyncDisposableStack();
    const { path } = resources.use(temporaryDirectory());
    const server = resources.use(await ImageServer.start());
    const image = server.add("limits", { layers: [busyboxLayer()] });
    const stage = new LimitStage(path, image, resources.move());
    mkdirSync(stage.shared);
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
    expect(await lastingTraces(this.tsimg.root, this.started)).toEqual([]);
  }
}

/** A file of a container's cgroup: in its version 1 hierarchy, or else the version 2 tree. */
export function groupText(id: string, hierarchy: string, v1: string, v2: string): string {
  const old = join("/sys/fs/cgroup", hierarchy, "tsimg", id, v1);
  const path = existsSync(old) ? old : join("/sys/fs/cgroup/tsimg", id, v2);
  return readFileSync(path, "latin1").trim();
}
