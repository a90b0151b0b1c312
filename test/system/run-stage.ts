import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, join } from "node:path";
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

/** What tests look at of a container's inspection. */
export interface Inspected {
  readonly State: { readonly Status: string; readonly Pid: number };
  readonly BundlePath: string;
  readonly HostConfig: object;
  readonly Mounts: readonly { readonly Source: string }[];
  readonly GraphDriver: { readonly Data: OverlayPaths };
}

type OverlayPaths = Readonly<Record<"UpperDir" | "WorkDir" | "LowerDir" | "MergedDir", string>>;

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

  private constructor(
    root: string,
    images: readonly string[],
    network: string,
    resources: AsyncDisposableStack,
  ) {
    this.root = root;
    [this.tiny = "", this.special = ""] = images;
    this.resources = resources;
    this.env = { ...process.env, TSIMG, TSIMG_ROOT: join(root, "store"), TSIMG_NETWORK: network };
  }

  /** @param network of containers without --network: most tests are spared the bridge */
  static async open(network = "none"): Promise<Stage> {
    await using resources = new AsyncDisposableStack();
    const root = mkdtempSync(join(tmpdir(), "tsimg-run-"));
    resources.defer(() => rmSync(root, { recursive: true, force: true }));
    const registry = resources.use(await startRegistry({ dir: join(root, "registry") }));
    const tiny = await registry.push(await tinyImage(), "tiny");
    const special = await registry.push(await awkwardImage({ layers: 1 }), "team/special");
    return new Stage(root, [tiny, special], network, resources.move());
  }

  /** Runs tsimg to its end. */
  async tsimg(args: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
    const env = { ...this.env, ...options.env };
    const { stdout, ...rest } = await outcomeOf([TSIMG, ...args], { ...options, env });
    return { ...rest, stdout: stdout.toString() };
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

  /** Runs a line of shell in which `$TSIMG` is tsimg. */
  async shell(line: string): Promise<Outcome> {
    const { stdout, ...rest } = await outcomeOf(["sh", "-c", line], { env: this.env });
    return { ...rest, stdout: stdout.toString() };
  }

  /** Waits for what is about to happen; the test's own time limit is the only one. */
  async until(happened: () => Promise<boolean>): Promise<void> {
    while (!(await happened())) await sleep(20);
  }

  /** Starts tsimg and leaves it running. */
  start(args: readonly string[]): ChildProcess {
    return spawn(TSIMG, args, { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
  }

  inspect(name: string): Promise<Inspected> {
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
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _resources = this.resources;
    const left = await this.leftovers();
    await this.shell("$TSIMG rm -f $($TSIMG ps -aq)");
    expect(left).toEqual([]);
  }
}

/** Control groups of containers whose IDs start so, in whichever hierarchy. */
export function groupsOf(start: string): readonly string[] {
  const mount = "/sys/fs/cgroup";
  const trees = [mount, ...namesIn(mount).map((name) => join(mount, name))];
  return trees
    .flatMap((tree) => namesIn(join(tree, "tsimg")).map((name) => join(tree, "tsimg", name)))
    .filter((group) => basename(group).startsWith(start));
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function isInstalled(program: string): boolean {
  const path = `${process.env["PATH"] ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`;
  return path.split(delimiter).some((directory) => namesIn(directory).includes(program));
}

function absent(programs: readonly string[]): string | undefined {
  return programs.length === 0 ? undefined : `(needs ${programs.join(", ")})`;
}
