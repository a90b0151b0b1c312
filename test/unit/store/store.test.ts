import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ContentStore } from "../../../src/content/content-store.ts";
import { type Digest, sha256Digest } from "../../../src/oci/digest.ts";
import { Database } from "../../../src/store/database.ts";
import { dropDeadLeases, Lease } from "../../../src/store/leases.ts";
import { storePaths } from "../../../src/store/paths.ts";
import { identityOf, isAlive, ownIdentity } from "../../../src/store/process-identity.ts";

const signal = new AbortController().signal;
const NOBODY = "1:1:another-boot";
let root: string;
let database: Database;
let content: ContentStore;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tsimg-store-"));
  const paths = storePaths(root);
  database = new Database(paths.database);
  content = new ContentStore(database, paths);
});

afterEach(() => {
  database[Symbol.dispose]();
  rmSync(root, { recursive: true });
});

async function ingestOf(bytes: Buffer) {
  const ingest = await content.ingest(sha256Digest(bytes), bytes.length, signal);
  if (ingest === undefined) throw new Error("it is there");
  return ingest;
}

it("a transaction that throws changes nothing", () => {
  const act = () =>
    database.transaction(() => {
      database.run("insert into leases (id, owner) values ('a', 'b')");
      throw new Error("no");
    });
  expect(act).toThrow("no");
  expect(database.all("select * from leases")).toEqual([]);
});

it("a store of a newer tsimg is left alone", () => {
  database.run("pragma user_version = 99");
  expect(() => new Database(join(root, "tsimg.db"))).toThrow(/newer tsimg/);
});

it("a store is its owner's alone, also one that an older tsimg made", () => {
  const [made, file] = [join(root, "made"), join(root, "made", "tsimg.db")];
  const modes = () => [made, file].map((path) => statSync(path).mode & 0o777);
  new Database(file)[Symbol.dispose]();
  expect(modes()).toEqual([0o700, 0o600]);
  chmodSync(made, 0o711);
  chmodSync(file, 0o644);
  new Database(file)[Symbol.dispose]();
  expect(modes()).toEqual([0o700, 0o600]);
  // A directory that was there with other permissions is whoever's made it.
  chmodSync(made, 0o755);
  chmodSync(file, 0o644);
  new Database(file)[Symbol.dispose]();
  expect(modes()).toEqual([0o755, 0o600]);
});

it("a process is known by when it started, not by its number alone", async () => {
  expect(isAlive(ownIdentity())).toBe(true);
  expect(isAlive(identityOf(process.pid, "1"))).toBe(false);
  expect(isAlive(ownIdentity().replace(/[^:]+$/, "another-boot"))).toBe(false);
  const child = spawn("true");
  await once(child, "exit");
  expect(isAlive(identityOf(child.pid ?? 0, "1"))).toBe(false);
});

it("leases of the dead are dropped, those of the living kept", () => {
  using lease = new Lease(database);
  lease.hold("content", ["x", "x", "y"]);
  database.run("insert into leases (id, owner) values ('dead', ?)", NOBODY);
  database.run("insert into lease_holds values ('dead', 'content', 'z')");
  database.transaction(() => dropDeadLeases(database));
  expect(database.all("select ref from lease_holds order by ref")).toEqual([
    { ref: "x" },
    { ref: "y" },
  ]);
});

it("what was fetched of a blob is gone on with, and found complete", async () => {
  const bytes = Buffer.from("a blob in two parts");
  {
    using first = await ingestOf(bytes);
    first.write(bytes.subarray(0, 6));
  }
  using second = await ingestOf(bytes);
  expect(second.offset).toBe(6);
  second.write(bytes.subarray(6));
  second.verify();
  second.publish();
  expect(content.read(sha256Digest(bytes))).toEqual(bytes);
  expect(await content.ingest(sha256Digest(bytes), bytes.length, signal)).toBeUndefined();
  expect(database.all("select * from ingests")).toEqual([]);
});

it("an ingest of a dead process is taken over, one of a living process waited for", async () => {
  const bytes = Buffer.from("bytes");
  const digest = sha256Digest(bytes);
  database.run("insert into ingests (digest, owner) values (?, ?)", digest, NOBODY);
  using held = await ingestOf(bytes);
  expect(held.offset).toBe(0);
  const abort = new AbortController();
  let waited = 0;
  const second = content.ingest(digest, bytes.length, abort.signal, () => {
    waited += 1;
    abort.abort(new Error("enough"));
  });
  await expect(second).rejects.toThrow();
  expect(waited).toBe(1);
});

it("bytes that are not what the descriptor says are dropped", async () => {
  const bytes = Buffer.from("right");
  for (const wrong of ["wrong", "right, and more", "r"]) {
    using ingest = await ingestOf(bytes);
    ingest.write(Buffer.from(wrong));
    expect(() => ingest.verify()).toThrow(/blob 'sha256:/);
    expect(readFileSync(ingest.path)).toEqual(Buffer.alloc(0));
  }
  expect(content.size(sha256Digest(bytes))).toBeUndefined();
});

it("a blob that is not marked for removal is never deleted", () => {
  const digest = content.write(Buffer.from("kept"));
  content.remove(digest);
  expect(content.read(digest)?.toString()).toBe("kept");
  database.run("update content set state = 'removing'");
  content.remove(digest);
  expect(content.size(digest)).toBeUndefined();
});

it("a blob that was damaged is forgotten, a whole one is not", () => {
  const digest: Digest = content.write(Buffer.from("whole"));
  content.dropDamaged(digest);
  expect(content.read(digest)?.toString()).toBe("whole");
  writeFileSync(content.path(digest), "cut");
  content.dropDamaged(digest);
  expect(content.size(digest)).toBeUndefined();
  expect(existsSync(content.path(digest))).toBe(false);
});
