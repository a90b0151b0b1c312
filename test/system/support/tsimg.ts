import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { type CommandOutcome, outcomeOf } from "../../../fixtures/command.ts";

const TSIMG = join(import.meta.dirname, "../../../bin/tsimg");

/** tsimg with a store of its own. */
export class Tsimg {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  argv(args: readonly string[]): readonly string[] {
    return [TSIMG, "--root", this.root, ...args];
  }

  /** Runs to its end, whatever its status; it ends with this process at the latest. */
  run(...args: string[]): Promise<CommandOutcome> {
    return outcomeOf(["setpriv", "--pdeathsig", "KILL", ...this.argv(args)]);
  }

  /** Standard output of a command that must succeed. */
  async output(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.run(...args);
    if (status !== 0) throw new Error(`tsimg ${args.join(" ")}: status ${status}\n${stderr}`);
    return stdout.toString();
  }

  /** Starts it, to be killed at some moment. */
  start(...args: string[]): ChildProcess {
    const [program = "", ...rest] = this.argv(args);
    return spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Names of all images. */
  async images(): Promise<readonly string[]> {
    return rows(await this.output("images", "--format", "json")).map(
      (row) => `${row["Repository"]}:${row["Tag"]}`,
    );
  }

  /** IDs of all containers, whatever their state. */
  async containers(): Promise<readonly string[]> {
    return (await this.output("ps", "-aq", "--no-trunc")).split("\n").filter(Boolean);
  }

  /** Removes every container and image: what is left then is an empty store. */
  async clear(): Promise<void> {
    const containers = await this.containers();
    if (containers.length > 0) await this.output("rm", "-f", ...containers);
    const images = (await this.output("images", "-aq", "--no-trunc")).split("\n").filter(Boolean);
    if (images.length > 0) await this.output("rmi", "-f", ...new Set(images));
  }
}

/** One JSON object a line. */
function rows(text: string): readonly Readonly<Record<string, string>>[] {
  const lines = text.split("\n").filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Readonly<Record<string, string>>);
}
