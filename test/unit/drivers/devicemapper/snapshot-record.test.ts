import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import {
  readRecord,
  recorded,
  removeRecord,
  type SnapshotRecord,
  writeRecord,
} from "../../../../drivers/devicemapper/snapshot-record.ts";
import type { SnapshotId } from "../../../../drivers/driver.ts";

const ID = "a".repeat(64) as SnapshotId;

it("gives back what was written, and goes without a trace", () => {
  using home = temporaryHome();
  const number = fc.integer({ min: 0, max: 2 ** 50 });
  const usage = fc.record({ bytes: number, inodes: number });
  const record = fc.record({ below: usage, sealed: usage }, { requiredKeys: ["below"] });
  fc.assert(
    fc.property(record, (written) => {
      writeRecord(home.path, ID, written as SnapshotRecord);
      expect(readRecord(home.path, ID)).toEqual(written);
    }),
    { numRuns: 20 },
  );
  expect(recorded(home.path)).toEqual([ID]);
  removeRecord(home.path, ID);
  removeRecord(home.path, ID);
  expect(readdirSync(home.path)).toEqual([]);
});

it("takes a record that is gone or cut short for that of a writable, empty one", () => {
  using home = temporaryHome();
  const empty = { below: { bytes: 0, inodes: 0 } };
  expect(readRecord(home.path, ID)).toEqual(empty);
  for (const text of ["", "\n", "1", "1 2 3\n", "-1 2\n", "x y\n1\n", `${"9".repeat(20)} 1\n`]) {
    writeFileSync(join(home.path, ID), text);
    expect(readRecord(home.path, ID)).toEqual(empty);
  }
  expect(recorded(join(home.path, "absent"))).toEqual([]);
});

it("lists complete records only", () => {
  using home = temporaryHome();
  for (const name of [`${ID}.new`, "lost+found", "abc"]) writeFileSync(join(home.path, name), "");
  expect(recorded(home.path)).toEqual([]);
});

function temporaryHome() {
  const path = mkdtempSync(join(tmpdir(), "tsimg-records-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
