import {
  appendFileSync,
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { it } from "vitest";
import type { Keeps } from "./keeps.ts";
import { codeOf, type Round } from "./rounds/round.ts";
import { playRounds } from "./rounds.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";

/** The same each time; TSIMG_RANDOM_ROUNDS=1000 tries so many new ones. */
const WANTED = process.env["TSIMG_RANDOM_ROUNDS"];
const RUNS = Number(WANTED ?? 20);

type Act = readonly [kind: string, path: string, other: string];

const name = fc.constantFrom("a", "b", "c");
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const kind = fc.constantFrom(
  ...["write", "write", "append", "truncate", "mkdir", "mkdir", "mkdir", "unlink", "rmdir"],
  ...["remove", "rename", "symlink", "chmod", "chown", "list"],
);
const acts = fc.array(fc.tuple(kind, path, path), { minLength: 1, maxLength: 12 });
const plans = fc.array(acts, { minLength: 2, maxLength: 4 });

/** Random programs, one a container: each does and sees what it would on a plain directory. */
export function describeRandomRounds(makeDriver: MakeDriver, keeps: Keeps): void {
  it(`does what a plain directory does in random rounds (${RUNS} runs)`, () => {
    using workshop = new Workshop(makeDriver);
    const property = fc.property(plans, (rounds: readonly (readonly Act[])[]) => {
      playRounds(workshop, keeps, rounds.map(roundOf));
      workshop.removeAll();
    });
    fc.assert(property, { numRuns: RUNS, ...(WANTED === undefined && { seed: 1 }) });
  }, 3_600_000);
}

function roundOf(acts: readonly Act[]): Round {
  return (root) => acts.map((act) => perform(root, act));
}

/** @returns the error's code, or what was seen */
function perform(root: string, [kind, path, other]: Act): unknown {
  const at = join(root, path);
  const seen: unknown[] = [];
  const code = codeOf(() => {
    switch (kind) {
      case "write":
        return writeFileSync(at, other);
      case "append":
        return appendFileSync(at, other);
      case "truncate":
        return truncateSync(at, other.length);
      case "mkdir":
        return mkdirSync(at);
      case "unlink":
        return unlinkSync(at);
      case "rmdir":
        return rmdirSync(at);
      case "remove":
        return rmSync(at, { recursive: true });
      case "rename":
        return renameFile(at, join(root, other));
      case "symlink":
        return symlinkSync(other, at);
      case "chmod":
        return chmodSync(at, 0o700 + other.length);
      case "chown":
        return lchownSync(at, other.length, 7);
      default:
        seen.push(...readdirSync(at).sort());
    }
  });
  return [code, ...seen];
}

/** Directories are left alone: overlay leaves it to programs to copy those from below. */
function renameFile(from: string, to: string): void {
  if (!lstatSync(from).isDirectory()) renameSync(from, to);
}
