import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { chownSync, mkdirSync } from "node:fs";
import { expect } from "vitest";
import { TSIMG } from "../run-stage.ts";

const NEEDED = ["useradd", "userdel", "newuidmap", "newgidmap", "setpriv"];

/** Why there can't be one here; undefined when there can. */
export function absentForUser(...programs: readonly string[]): string | undefined {
  const all = [...NEEDED, ...programs];
  const missing = all.filter((name) => spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0);
  return missing.length === 0 ? undefined : `(not installed: ${missing.join(", ")})`;
}

/** A user of this machine as useradd makes one, with subordinate IDs. */
export class OrdinaryUser implements Disposable {
  readonly name: string;
  readonly uid: number;
  readonly home: string;

  /**
   * @param name nobody else's; somebody of this name that a killed test has left is removed
   * @param home directory that is made, in one that everybody may pass through
   */
  constructor(name: string, home: string) {
    this.name = name;
    this.home = home;
    spawnSync("userdel", [name]);
    const made = spawnSync("useradd", ["--no-create-home", name], { encoding: "utf8" });
    expect(made.stderr).toBe("");
    this.uid = Number(spawnSync("id", ["-u", name], { encoding: "utf8" }).stdout);
    mkdirSync(home, { mode: 0o700 });
    chownSync(home, this.uid, this.uid);
  }

  /** A command line that runs another one as this user, with nothing of root's around it. */
  argv(...words: readonly string[]): readonly [string, ...string[]] {
    const as = ["--reuid", this.name, "--regid", this.name, "--init-groups", "--"];
    const env = ["PATH=/usr/local/bin:/usr/bin:/bin", `HOME=${this.home}`];
    return ["setpriv", ...as, "env", "-i", "-C", this.home, ...env, ...words];
  }

  /** Runs a command to its end. */
  spawn(...words: readonly string[]): SpawnSyncReturns<string> {
    const [program, ...args] = this.argv(...words);
    return spawnSync(program, args, { encoding: "utf8" });
  }

  /** Runs tsimg to its end. */
  tsimg(...args: readonly string[]): SpawnSyncReturns<string> {
    return this.spawn(TSIMG, ...args);
  }

  /** Ends all processes, the one that keeps the namespaces among them. */
  kill(): void {
    spawnSync("pkill", ["-KILL", "-u", String(this.uid)]);
    while (spawnSync("pgrep", ["-u", String(this.uid)]).status === 0);
  }

  [Symbol.dispose](): void {
    this.kill();
    spawnSync("userdel", [this.name]);
  }
}
