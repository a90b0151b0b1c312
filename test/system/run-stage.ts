import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { type CommandOptions, outcomeOf } from "../../fixtures/command.ts";
import { awkwardImage } from "../../fixtures/images/awkward-image.ts";
import { tinyImage } from "../../fixtures/images/tiny-image.ts";
import { startRegistry } from "../../fixtures/registry/registry.ts";
import { lastingTraces } from "./support/leftovers.ts";

export const TSIMG = join(import.meta.dirname, "../../bin/tsimg");

const NEEDED = ["docker-registry", "skopeo", "apt-get", "setpriv"];

/** Why these tests can't run here; undefined when they can. */
export const reason =
  process.getuid?.() === 0 ? absent(NEEDED.filter((name) => !isInstalled(name))) : "(needs root)";

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A store of its own, a registry with two images, and tsimg to be run with them.
 *
 * Disposing fails when anything that a container had is still there.
 */
export class Stage implements AsyncDisposable {
  readonly root: string;
  /** References of the images; `special` is the one with users and special files. */
  readonly tiny: string;
  readonly special: string;
  readonly env: NodeJS.ProcessEnv;
  private readonly resources: AsyncDisposableStack;

  private constructor(root: string, images: readonly string[], resources: AsyncDisposableStack) {
    this.root = root;
    [this.tiny = "", this.special = ""] = images;
    this.resources = resources;
    this.env = { ...process.env, TSIMG_ROOT: join(root, "store") };
  }

  static async open(): Promise<Stage> {
    await using resources = new AsyncDisposableStack();
    const root = mkdtempSync(join(tmpdir(), "tsimg-run-"));
    resources.defer(() => rmSync(root, { recursive: true, force: true }));
    const registry = resources.use(await startRegistry({ dir: join(root, "registry") }));
    const tiny = await registry.push(await tinyImage(), "tiny");
    const special = await registry.push(await awkwardImage({ layers: 1 }), "team/special");
    return new Stage(root, [tiny, special], resources.move());
  }

  /** Runs tsimg to its end. */
  async tsimg(args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
    const env = { ...this.env, ...options.env };
    const { stdout, ...rest } = await outcomeOf([TSIMG, ...args], { ...options, env });
    // One byte a character: what isn't UTF-8 shows as it is.
    return { ...rest, stdout: stdout.toString("latin1") };
  }

  /** As `tsimg`, of which success and silence on standard error are expected. */
  async output(...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.tsimg(args);
    expect({ args, status, stderr }).toEqual({ args, status: 0, stderr: "" });
    return stdout;
  }

  /** What a shell in a container of the tiny image prints. */
  run(flags: readonly string[], script: string): Promise<Outcome> {
    return this.tsimg(["run", "--rm", ...flags, this.tiny, "sh", "-c", script]);
  }

  /** Starts tsimg and leaves it running. */
  start(args: readonly string[]): ChildProcess {
    return spawn(TSIMG, args, { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
  }

  inspect(name: string): Promise<Record<string, never>> {
    return this.output("inspect", name).then((text) => JSON.parse(text)[0]);
  }

  /** What containers of this store have left on the machine. */
  async leftovers(): Promise<readonly string[]> {
    const store = this.env["TSIMG_ROOT"] ?? "";
    const rows = await this.output("ps", "-aq");
    return [
      ...rows.split("\n").filter((id) => id !== ""),
      ...namesIn(join(store, "run")),
      ...namesIn(join(store, "containers")),
      ...(await lastingTraces(store)),
      ...(await abandonedGroups()),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _resources = this.resources;
    expect(await this.leftovers()).toEqual([]);
  }
}

/** Groups of containers without a process that don't go; other tests' containers come and go. */
async function abandonedGroups(): Promise<readonly string[]> {
  let groups = emptyGroups();
  for (let tries = 0; groups.length > 0 && tries < 20; tries++) {
    await sleep(100);
    const now = new Set(emptyGroups());
    groups = groups.filter((group) => now.has(group));
  }
  return groups;
}

function emptyGroups(): readonly string[] {
  const mount = "/sys/fs/cgroup";
  const trees = [mount, ...namesIn(mount).map((name) => join(mount, name))];
  return trees
    .flatMap((tree) => namesIn(join(tree, "tsimg")).map((name) => join(tree, "tsimg", name)))
    .filter((group) => /\/[0-9a-f]{64}$/.test(group))
    .filter((group) => textOf(join(group, "cgroup.procs")) === "");
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function isInstalled(program: string): boolean {
  const path = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`;
  return path.split(delimiter).some((directory) => namesIn(directory).includes(program));
}

function absent(programs: readonly string[]): string | undefined {
  return programs.length === 0 ? undefined : `(needs ${programs.join(", ")})`;
}
