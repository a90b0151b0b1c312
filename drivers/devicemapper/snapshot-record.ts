import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tolerating } from "../../src/sys/errno.ts";
import type { SnapshotId, Usage } from "../driver.ts";

/** What a thin device itself doesn't say. */
export interface SnapshotRecord {
  /** What was in it when it was made: its parent's. */
  readonly below: Usage;
  /** What is in it, once it is sealed. */
  readonly sealed?: Usage;
}

const NOTHING: Usage = { bytes: 0, inodes: 0 };
const NAME = /^[0-9a-f]{64}$/;

/**
 * A snapshot's record. One that a power cut has taken, which can only be a writable one's,
 * says of it that it began empty.
 */
export function readRecord(home: string, id: SnapshotId): SnapshotRecord {
  const text = tolerating(["ENOENT"], () => readFileSync(join(home, id), "utf8")) ?? "";
  const [below = NOTHING, sealed] = text.split("\n").map(parseUsage);
  return sealed === undefined ? { below } : { below, sealed };
}

/** Writes a record: the old one or the new one is there afterwards, whatever happens. */
export function writeRecord(home: string, id: SnapshotId, record: SnapshotRecord): void {
  const { below, sealed } = record;
  const lines = [below, ...(sealed === undefined ? [] : [sealed])];
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const unfinished = join(home, `${id}.new`);
  writeFileSync(unfinished, lines.map(({ bytes, inodes }) => `${bytes} ${inodes}\n`).join(""));
  renameSync(unfinished, join(home, id));
}

export function removeRecord(home: string, id: SnapshotId): void {
  for (const name of [id, `${id}.new`]) rmSync(join(home, name), { force: true });
}

/** Those that have a record. */
export function recorded(home: string): readonly SnapshotId[] {
  const names = tolerating(["ENOENT"], () => readdirSync(home)) ?? [];
  return names.filter((name) => NAME.test(name)) as SnapshotId[];
}

function parseUsage(line: string): Usage | undefined {
  const match = /^(\d{1,16}) (\d{1,16})$/.exec(line);
  return match === null ? undefined : { bytes: Number(match[1]), inodes: Number(match[2]) };
}
