import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "vitest";
import { outputOf } from "../../fixtures/command.ts";
import { networkNames } from "../../src/runtime/network/network-names.ts";
import { Stage } from "./run-stage.ts";

const SCRIPTS = join(import.meta.dirname, "network");

/** Milliseconds to wait for an answer that must come. */
const PATIENCE = 5000;

/** A link's four addresses, for tests that run at the same time: of RFC 2544's range. */
const LINK = `198.18.${(process.pid >> 6) & 255}`;
const FIRST = (process.pid & 63) * 4;

/** From where something is asked: a container by its name, the host, or a machine beside it. */
export type Place = { readonly container: string } | "host" | "neighbour";

/** What tests look at of a container's network. */
export interface Networked {
  readonly Id: string;
  readonly State: { readonly Pid: number };
  readonly NetworkSettings: {
    readonly SandboxKey: string;
    readonly IPAddress: string;
    readonly Gateway: string;
    readonly MacAddress: string;
    readonly Ports: Readonly<Record<string, readonly object[] | null>>;
    readonly Networks: Readonly<
      Record<string, { readonly IPAddress: string; readonly Aliases: readonly string[] }>
    >;
  };
}

/**
 * A stage whose containers are on the bridge, and a machine beside the host: a network
 * namespace that knows the host alone.
 */
export class NetworkStage implements AsyncDisposable {
  readonly stage: Stage;
  /** Addresses of the link between the two. */
  readonly host = `${LINK}.${FIRST + 1}`;
  readonly neighbour = `${LINK}.${FIRST + 2}`;
  private readonly space = `tsimg-n${process.pid}`;
  private readonly link = `tsn${process.pid}`;
  private readonly servers: ChildProcess[] = [];

  private constructor(stage: Stage) {
    this.stage = stage;
  }

  static async open(): Promise<NetworkStage> {
    const own = new NetworkStage(await Stage.open("bridge"));
    try {
      await own.stage.output("pull", "-q", own.stage.tiny);
      await own.connectNeighbour();
      return own;
    } catch (error) {
      await own[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts a container of the tiny image that sleeps; answers its ID. */
  async start(name: string, ...flags: readonly string[]): Promise<string> {
    const { stage } = this;
    const line = ["run", "-d", "--name", name, ...flags, stage.tiny, "sleep", "10000"];
    return (await stage.output(...line)).trim();
  }

  async inspect(name: string): Promise<Networked> {
    return JSON.parse(await this.stage.output("inspect", name))[0];
  }

  async addressOf(name: string, network?: string): Promise<string> {
    const { IPAddress, Networks } = (await this.inspect(name)).NetworkSettings;
    return network === undefined ? IPAddress : (Networks[network]?.IPAddress ?? "");
  }

  /** What a shell in a running container prints. */
  async within(name: string, script: string): Promise<string> {
    return this.stage.output("exec", name, "sh", "-c", script);
  }

  /** Whether a container reaches another one by this name. */
  async reaches(from: string, name: string): Promise<boolean> {
    const { status } = await this.stage.tsimg(["exec", from, "ping", "-c1", "-W2", name]);
    return status === 0;
  }

  /** Answers there, on TCP and UDP, with `name` and the asker's address. */
  async serve(where: Place, name: string, port: number): Promise<void> {
    const script = join(SCRIPTS, "answering-server.ts");
    const [program = "", ...words] = await this.at(where, [script, name, String(port)]);
    const server = spawn(program, words, { stdio: ["ignore", "pipe", "inherit"] });
    this.servers.push(server);
    await once(server.stdout, "data");
  }

  /** What a server says, seen from there; or the error. @param source by UDP, the port to ask from */
  async ask(
    from: Place,
    protocol: "tcp" | "udp",
    address: string,
    port: number,
    source = 0,
  ): Promise<string> {
    const numbers = [port, PATIENCE, source].map(String);
    const words = [join(SCRIPTS, "ask.ts"), protocol, address, ...numbers];
    return outputOf(await this.at(from, words));
  }

  /** What the networks of this store are called in the kernel. */
  async names(): Promise<readonly string[]> {
    const { bridge, table } = networkNames(this.stage.env["TSIMG_ROOT"] ?? "");
    const own = await this.stage.output("network", "ls", "-q", "--filter", "type=custom");
    return [bridge, table, ...own.split(/\s+/).flatMap((id) => (id === "" ? [] : [`ts-${id}`]))];
  }

  /** All that its firewall sends to containers. */
  async elements(): Promise<readonly string[]> {
    const { table } = networkNames(this.stage.env["TSIMG_ROOT"] ?? "");
    const text = await outputOf(["nft", "-n", "list", "table", "inet", table]);
    return text.match(/\d+ \. \d+ : \S+ \. \d+/g) ?? [];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await using _stage = this.stage;
    for (const server of this.servers) server.kill("SIGKILL");
    spawnSync("ip", ["netns", "delete", this.space]);
    spawnSync("ip", ["link", "delete", this.link]);
    const names = await this.names();
    await this.stage.shell("$TSIMG rm -f $($TSIMG ps -aq)");
    const remove = `$TSIMG network rm $($TSIMG network ls --filter type=custom -q) bridge`;
    await this.stage.shell(remove);
    expect(await tracesOf(names)).toEqual([]);
  }

  private async connectNeighbour(): Promise<void> {
    const { space, link } = this;
    await outputOf(["ip", "netns", "add", space]);
    await outputOf(["ip", "link", "add", link, "type", "veth", "peer", "up0", "netns", space]);
    await outputOf(["ip", "address", "add", `${this.host}/30`, "dev", link]);
    await outputOf(["ip", "link", "set", link, "up"]);
    await outputOf(["ip", "-n", space, "address", "add", `${this.neighbour}/30`, "dev", "up0"]);
    await outputOf(["ip", "-n", space, "link", "set", "up0", "up"]);
  }

  /** The command line of a script that runs there. */
  private async at(where: Place, words: readonly string[]): Promise<readonly string[]> {
    const argv = [process.execPath, ...words];
    if (where === "host") return argv;
    if (where === "neighbour") return ["ip", "netns", "exec", this.space, ...argv];
    const { SandboxKey } = (await this.inspect(where.container)).NetworkSettings;
    return ["nsenter", `--net=${SandboxKey}`, "--", ...argv];
  }
}

/** Interfaces and tables of nftables that are called so, or belong to what is. */
export async function tracesOf(names: readonly string[]): Promise<readonly string[]> {
  const links = await outputOf(["ip", "-o", "link"]);
  const tables = await outputOf(["nft", "list", "tables"]);
  const lines = [...links.split("\n"), ...tables.split("\n")];
  return lines.filter((line) => names.some((name) => line.includes(name)));
}
