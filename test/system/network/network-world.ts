import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NetworkContext } from "../../../src/runtime/network/network-context.ts";
import type { NetworkFlags } from "../../../src/runtime/network/network-flags.ts";
import { parseNetworkFlags } from "../../../src/runtime/network/network-request.ts";
import {
  type HeldPort,
  type PreparedNetwork,
  prepareNetwork,
} from "../../../src/runtime/network/prepare-network.ts";
import { reclaimNetwork } from "../../../src/runtime/network/reclaim-network.ts";
import { encodeTape } from "../../../src/runtime/tape/encode.ts";
import { execute } from "../../../src/runtime/tape/exec.ts";
import { holdPorts } from "../../../src/runtime/tape/held-ports.ts";
import { configureNetwork } from "../../../src/runtime/tape/network.ts";
import { Steps } from "../../../src/runtime/tape/steps.ts";
import { flags, type Step } from "../../../src/runtime/tape/tape.ts";
import { Database } from "../../../src/store/database.ts";
import { invoke } from "../../../src/sys/libc.ts";
import { randomHex } from "../../../src/sys/random.ts";
import { buildLauncher } from "../launcher-box.ts";
import { insertContainer } from "./insert-container.ts";
import { NO_FLAGS } from "./no-flags.ts";

export const whyNot =
  process.getuid?.() !== 0
    ? "(needs root)"
    : ["ip", "nft", "nsenter"].some((name) => spawnSync("which", [name]).status !== 0)
      ? "(needs iproute2, nftables, util-linux)"
      : undefined;

export const HOST = "198.51.100.1";
export const HOST6 = "2001:db8:1::1";
export const OUTSIDE = "198.51.100.2";
export const OUTSIDE6 = "2001:db8:1::2";

/** Milliseconds to wait for an answer that must come, and for one that must not. */
const PATIENCE = 5000;
const SHORT_PATIENCE = 400;

const CLONE_NEWNET = 0x40000000;

export interface FakeContainer {
  readonly id: string;
  readonly name: string;
  /** Name of its network namespace. */
  readonly space: string;
  readonly prepared: PreparedNetwork;
  /** The launcher's stand-in: has the published ports. */
  readonly holder: ChildProcess | undefined;
}

/**
 * A machine of its own for a test: a "host" namespace, in which the test's main thread is from
 * here on, and one "outside" that knows no way to any container. Containers are namespaces
 * with the launcher's real tape run in them.
 */
export class NetworkWorld implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "tsimg-network-"));
  readonly database: Database;
  readonly context: NetworkContext;
  /** IDs that count as running. */
  readonly alive = new Set<string>();
  readonly mark = randomHex(5);
  private readonly launcher = buildLauncher();
  private readonly spaces: string[] = [];
  private readonly servers: ChildProcess[] = [];
  private readonly origin = openSync("/proc/thread-self/ns/net", "r");

  /** @param filter what br_netfilter shows to the firewall: "1" bridged packets too, "0" not */
  constructor(filter: "0" | "1" = "1") {
    const root = join(this.directory, "store");
    this.database = new Database(join(root, "tsimg.db"));
    this.context = {
      database: this.database,
      root,
      defaultSubnets: [],
      stateDirectory: (id) => join(root, "run", id),
      isAlive: (id) => this.alive.has(id),
    };
    try {
      this.connectOutside(filter);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Does with a container what a start does. */
  start(name: string, given: Partial<NetworkFlags> = {}): FakeContainer {
    const id = this.insertContainer(name);
    const container = { id, hostname: name, exposed: [] };
    const request = parseNetworkFlags({ ...NO_FLAGS, ...given });
    mkdirSync(this.context.stateDirectory(id), { recursive: true });
    const prepared = prepareNetwork(this.context, container, request);
    const holder = this.hold(prepared.hold);
    const space = this.space(name);
    const path = `/run/netns/${space}`;
    run(["bash", "-c", 'ip -batch "$0" 100<"$1"', prepared.ipBatch ?? "", path]);
    if (prepared.publish !== undefined) run(["nft", "-f", prepared.publish]);
    this.configure(path, prepared);
    return { id, name, space, prepared, holder };
  }

  /** Does what its end does; the launcher's last program is left out where it was killed. */
  end(container: FakeContainer, how: "ends" | "is killed" = "ends"): void {
    const { id, space, prepared } = container;
    this.die(container);
    for (const server of this.servers.filter((it) => it.spawnargs.includes(space)))
      server.kill("SIGKILL");
    if (how === "ends" && prepared.unpublish !== undefined) run(["nft", "-f", prepared.unpublish]);
    run(["ip", "netns", "delete", space]);
    reclaimNetwork(this.context, id);
  }

  /** Its launcher and all processes are killed; nobody has looked yet. */
  die({ id, holder }: FakeContainer): void {
    this.alive.delete(id);
    if (holder !== undefined) kill(holder);
  }

  /** A row as running containers have it. */
  insertContainer(name: string): string {
    const id = insertContainer(this.database, name);
    this.alive.add(id);
    return id;
  }

  /** @returns the process that serves */
  async serve(where: FakeContainer | "outside" | "host", name: string, port: number) {
    const script = join(import.meta.dirname, "answering-server.ts");
    const server = spawn("ip", this.within(where, [process.execPath, script, name, String(port)]), {
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.servers.push(server);
    await once(server.stdout, "data");
    return server;
  }

  /** What a server says, seen from there; or the error. */
  ask(
    from: FakeContainer | "outside" | "host",
    protocol: "tcp" | "udp",
    address: string,
    port: number,
    patience = PATIENCE,
  ): string {
    const script = join(import.meta.dirname, "ask.ts");
    const words = [process.execPath, script, protocol, address, String(port), String(patience)];
    return run(["ip", ...this.within(from, words)]);
  }

  /** Whether nothing comes back from there. */
  isSilent(from: FakeContainer | "outside" | "host", address: string, port: number): boolean {
    return this.ask(from, "tcp", address, port, SHORT_PATIENCE) === "silence";
  }

  /** Runs `ip` in a namespace. */
  ip(space: string, ...words: readonly string[]): string {
    return run(["ip", "-n", space.length === 1 ? this.name(space) : space, ...words]);
  }

  within(where: FakeContainer | "outside" | "host", words: readonly string[]): string[] {
    const short = where === "outside" ? this.name("o") : this.name("h");
    return ["netns", "exec", typeof where === "string" ? short : where.space, ...words];
  }

  [Symbol.dispose](): void {
    for (const server of this.servers) kill(server);
    this.enter(`/proc/self/fd/${this.origin}`);
    closeSync(this.origin);
    for (const space of this.spaces) spawnSync("ip", ["netns", "delete", space]);
    this.launcher[Symbol.dispose]();
    this.database[Symbol.dispose]();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private connectOutside(filter: "0" | "1"): void {
    this.space("h");
    this.space("o");
    this.enter(`/run/netns/${this.name("h")}`);
    run(["ip", "link", "set", "lo", "up"]);
    for (const name of ["iptables", "ip6tables"]) {
      const file = `/proc/sys/net/bridge/bridge-nf-call-${name}`;
      if (existsSync(file)) writeFileSync(file, filter);
    }
    const peer = ["peer", "name", "up0", "netns", this.name("o")];
    run(["ip", "link", "add", "up0", "type", "veth", ...peer]);
    for (const [end, four, six] of [
      ["h", HOST, HOST6],
      ["o", OUTSIDE, OUTSIDE6],
    ] as const) {
      this.ip(end, "address", "add", `${four}/24`, "dev", "up0");
      this.ip(end, "address", "add", `${six}/64`, "dev", "up0", "nodad");
      this.ip(end, "link", "set", "up0", "up");
    }
  }

  private configure(path: string, { inside }: PreparedNetwork): void {
    if (inside === undefined) return;
    const steps = new Steps();
    const file = steps.keep("openat", [flags("AT_FDCWD"), path, flags("O_CLOEXEC")], "opening");
    steps.call("setns", [file, flags("CLONE_NEWNET")], "entering the namespace");
    configureNetwork(steps, inside);
    run(this.launch([], steps, ["/bin/true"]));
  }

  /** A launcher that has done what comes before the clone, and waits for its process. */
  private hold(ports: readonly HeldPort[]): ChildProcess | undefined {
    if (ports.length === 0) return undefined;
    const before = new Steps();
    holdPorts(before, ports);
    const ready = join(this.directory, "ready");
    rmSync(ready, { force: true });
    const script = `: > ${ready}; exec sleep 1000`;
    const [program = "", ...words] = this.launch(before.list, new Steps(), [
      "/bin/sh",
      "-c",
      script,
    ]);
    const errors = join(this.directory, "errors");
    const stderr = openSync(errors, "w");
    const launcher = spawn(program, words, { stdio: ["ignore", "ignore", stderr], detached: true });
    closeSync(stderr);
    this.servers.push(launcher);
    while (!existsSync(ready)) {
      const said = readFileSync(errors, "utf8");
      if (said !== "") throw new Error(said);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
    return launcher;
  }

  /** @returns the command line that performs the steps and then runs `args` */
  private launch(before: readonly Step[], child: Steps, args: readonly string[]): string[] {
    const env = ["PATH=/usr/bin:/bin"];
    execute(child, { user: { uid: 0, gid: 0 }, args, env, cwd: "/" });
    const none = { beside: [], after: [], cloneFlags: [], options: [], files: {} };
    const machine = process.arch === "arm64" ? "aarch64" : "x86_64";
    const tape = join(this.directory, `tape-${randomHex(8)}`);
    writeFileSync(tape, encodeTape({ ...none, before, child: child.list }, machine));
    return [join(this.launcher.directory, "launcher"), tape];
  }

  private name(short: string): string {
    return `tsimg-${this.mark}-${short}`;
  }

  private space(short: string): string {
    const name = this.name(short);
    if (!this.spaces.includes(name)) this.spaces.push(name);
    run(["ip", "netns", "add", name]);
    return name;
  }

  /** Child processes follow the main thread, as does what it reads in /proc. */
  private enter(path: string): void {
    const fd = openSync(path, "r");
    invoke("setns", [fd, CLONE_NEWNET], { path });
    closeSync(fd);
  }
}

/** With what it started, where it leads a group; the test may have done so already. */
function kill(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null) return;
  try {
    process.kill(child.spawnfile.endsWith("launcher") ? -child.pid : child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** @returns its output */
export function run(argv: readonly string[], input = ""): string {
  const [program = "", ...words] = argv;
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: "utf8", input });
  if (status === 0) return stdout;
  throw new Error(`${argv.join(" ")}: status ${status}: ${stderr}`);
}
