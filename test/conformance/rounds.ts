import { chmodSync, lutimesSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { SnapshotId } from "../../drivers/driver.ts";
import type { Keeps } from "./keeps.ts";
import { withModesByLists } from "./mode-by-list.ts";
import { ATTRIBUTE_ROUNDS } from "./rounds/attributes.ts";
import { DIRECTORY_ROUNDS } from "./rounds/directories.ts";
import { FILE_ROUNDS } from "./rounds/files.ts";
import { PROGRAM_ROUNDS } from "./rounds/programs.ts";
import type { Round, RoundCases } from "./rounds/round.ts";
import { expectSame, linesOnDisk, type TreeLines } from "./tree-lines.ts";
import { type MakeDriver, Workshop } from "./workshop.ts";
import { createOn, sealNow, writable } from "./writable.ts";

const CASES: RoundCases = {
  ...FILE_ROUNDS,
  ...DIRECTORY_ROUNDS,
  ...ATTRIBUTE_ROUNDS,
  ...PROGRAM_ROUNDS,
};

/** Whatever a test writes is newer than this, by however coarse a clock. */
const MINUTE = 60_000_000_000n;

/**
 * What containers do to their trees: each round runs in a writable snapshot on top of the one
 * before, and in a plain directory. Both must answer the same and look the same, before and
 * after sealing, and no round may change what an earlier one made.
 */
export function describeRounds(makeDriver: MakeDriver, keeps: Keeps): void {
  describe("does what a plain directory does", () => {
    for (const [title, rounds] of Object.entries(CASES))
      it(title, () => {
        using workshop = new Workshop(makeDriver);
        playRounds(workshop, keeps, rounds);
      });
  });
}

/** Plays rounds on a snapshot each and on a plain directory, and compares all along. */
export function playRounds(workshop: Workshop, keeps: Keeps, rounds: readonly Round[]): void {
  using plain = plainDirectory();
  const since = BigInt(Date.now()) * 1_000_000n - MINUTE;
  const made: { readonly id: SnapshotId; readonly lines: TreeLines }[] = [];
  for (const round of rounds) {
    const id = createOn(workshop, made.at(-1)?.id ?? null);
    if (made.length === 0) writable(workshop, id, prepareRoot);
    const expected = round(plain.path, keeps);
    const actual = writable(workshop, id, (path) => round(path, keeps));
    expect(actual).toEqual(expected);
    const lines = withoutSockets(linesOnDisk(plain.path, since));
    const look = (path: string) => asShown(withoutSockets(linesOnDisk(path, since)), keeps);
    const before = writable(workshop, id, look);
    expectSame(lines, before, `round ${made.length}, while writable,`);
    sealNow(workshop, id);
    made.push({ id, lines });
  }
  made.forEach(({ id, lines }, index) => {
    const now = workshop.mounted(id, (path) =>
      asShown(withoutSockets(linesOnDisk(path, since)), keeps),
    );
    expectSame(lines, now, `round ${index}, at the end,`);
  });
}

function asShown(lines: TreeLines, keeps: Keeps): TreeLines {
  return keeps.modesByLists ? lines : withModesByLists(lines);
}

/** A socket is nothing without the process that listens: a driver may leave it out of a copy. */
function withoutSockets(lines: TreeLines): TreeLines {
  return new Map([...lines].filter(([, line]) => !line.startsWith("socket")));
}

function prepareRoot(path: string): void {
  chmodSync(path, 0o755);
  lutimesSync(path, 1000, 1000);
}

function plainDirectory() {
  const path = mkdtempSync(join(tmpdir(), "tsimg-plain-"));
  prepareRoot(path);
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}
