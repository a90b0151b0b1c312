import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { errorCode } from "../../../src/sys/errno.ts";
import type { Keeps } from "../keeps.ts";

/** What is done to the tree at `root`; it answers what a program would see. */
export type Round = (root: string, keeps: Keeps) => unknown;

/** Rounds by what they are about: each builds on the sealed tree of the one before. */
export type RoundCases = Readonly<Record<string, readonly Round[]>>;

/** A round that is given a function from names to paths. */
export function at(act: (path: (name: string) => string, keeps: Keeps) => unknown): Round {
  return (root, keeps) => act((name) => join(root, name), keeps);
}

/** The error code of what has to fail, or "" when it didn't. */
export function codeOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return errorCode(error) ?? String(error);
  }
}

/** Runs a program, its arguments relative to `root`. @returns what it printed */
export function run(root: string, program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { cwd: root, encoding: "utf8", env: { LC_ALL: "C" } });
}
