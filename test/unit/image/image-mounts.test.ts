import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { SnapshotId } from "../../../drivers/driver.ts";
import { ImageMounts } from "../../../src/image/image-mounts.ts";
import type { Digest } from "../../../src/oci/digest.ts";
import { Database } from "../../../src/store/database.ts";
import { Lease } from "../../../src/store/leases.ts";

const SNAPSHOT = "a".repeat(64) as SnapshotId;
const IMAGE = "sha256:image" as Digest;
let directory: string;
let database: Database;
/** What the machine has mounted. */
let mounted: Set<string>;
let mounts: ImageMounts;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tsimg-mounts-"));
  database = new Database(join(directory, "tsimg.db"));
  database.run(
    `insert into snapshots (id, driver, kind, chain_id, state, created)
     values (?, 'paper', 'committed', 'chain', 'ready', '')`,
    SNAPSHOT,
  );
  mounted = new Set();
  mounts = new ImageMounts(database, (path) => mounted.has(path));
});

afterEach(() => {
  database[Symbol.dispose]();
  rmSync(directory, { recursive: true });
});

const paths = () => mounts.list().map(({ path }) => path);

it("rows whose mount is gone are dropped by who looks", () => {
  for (const path of ["/a", "/b"]) mounts.add(path, SNAPSHOT, IMAGE);
  mounted.add("/b");
  expect(paths()).toEqual(["/b"]);
  expect(mounts.ofImage(IMAGE)).toHaveLength(1);
  expect(mounts.at("/a")).toBeUndefined();
});

it("a row stays while a living command holds the layers, as one does that is mounting", () => {
  const lease = new Lease(database);
  lease.hold("chain", ["chain"]);
  mounts.add("/a", SNAPSHOT, IMAGE);
  expect(paths()).toEqual(["/a"]);
  database.run("update leases set owner = '1:1:another-boot'");
  expect(paths()).toEqual([]);
});

it("who mounts and lets go between two looks is seen by the second", () => {
  mounts.add("/a", SNAPSHOT, IMAGE);
  let looks = 0;
  const late = new ImageMounts(database, () => ++looks > 1);
  expect(late.list()).toHaveLength(1);
});
