import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tolerating } from "../../../src/sys/errno.ts";
import { patience } from "./slowness.ts";

const MOUNT = "/sys/fs/cgroup";
const CONTROLLERS = ["memory", "cpu", "cpuset", "pids"];
/** What is the user's of a group that was handed over. */
const HANDED_OVER = ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"];

const there = tolerating(["ENOENT"], () => readFileSync(join(MOUNT, "cgroup.controllers"), "utf8"));

/** Why no limits can be handed over here; undefined when they can. */
export const absentForDelegation = CONTROLLERS.every((name) => there?.split(/\s+/).includes(name))
  ? undefined
  : "(needs cgroup version 2 with memory, cpu, cpuset and pids)";

/**
 * A group of version 2 that an ordinary user was given, by hand as an administrator does.
 *
 *     /sys/fs/cgroup/NAME/         root's
 *       own/                       handed over
 *         session/                 for shells; handed over, too
 */
export class DelegatedGroup {
  readonly path: string;
  readonly session: string;
  private readonly top: string;

  constructor(name: string, uid: number) {
    this.top = join(MOUNT, name);
    this.path = join(this.top, "own");
    this.session = join(this.path, "session");
    const words = CONTROLLERS.map((controller) => `+${controller}`).join(" ");
    for (const group of [this.top, this.path, this.session]) mkdirSync(group);
    for (const group of [MOUNT, this.top])
      writeFileSync(join(group, "cgroup.subtree_control"), words);
    for (const group of [this.path, this.session])
      for (const file of HANDED_OVER) chownSync(join(group, file), uid, uid);
  }

  /** A command line that starts another one in a group: `path` or `session`. */
  argv(group: string, ...words: readonly string[]): readonly [string, ...string[]] {
    return ["sh", "-c", `echo $$ >${group}/cgroup.procs && exec "$@"`, "sh", ...words];
  }

  /** Removes it with all below, once nobody is in there. */
  async remove(): Promise<void> {
    for (const end = Date.now() + patience(5000); ; await sleep(20))
      if (removeBelow(this.top) || Date.now() > end) break;
    if (existsSync(this.top)) rmdirSync(this.top);
  }
}

function removeBelow(group: string): boolean {
  const entries = tolerating(["ENOENT"], () => readdirSync(group, { withFileTypes: true })) ?? [];
  for (const entry of entries) if (entry.isDirectory()) removeBelow(join(group, entry.name));
  tolerating(["EBUSY", "ENOENT", "ENOTEMPTY"], () => rmdirSync(group));
  return !existsSync(group);
}
