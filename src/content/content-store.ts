import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Digest } from "../oci/digest.ts";
import { sha256Digest } from "../oci/digest.ts";
import type { Database } from "../store/database.ts";
import type { StorePaths } from "../store/paths.ts";
import { isAlive, ownIdentity } from "../store/process-identity.ts";
import { tolerating } from "../sys/errno.ts";
import { sleep } from "../sys/sleep.ts";
import { Ingest } from "./ingest.ts";

/** How often a waiting command looks whether another one has fetched the blob, in ms. */
const POLL = 40;
/** How long a partial download is kept for a next attempt, in ms: a week. */
const INGEST_LIFETIME = 7 * 24 * 3600 * 1000;

/**
 * Blobs by digest, in the directory layout of an OCI blob store:
 *
 *     content/blobs/sha256/<hex>      complete and verified
 *     content/ingests/sha256-<hex>    what has been fetched of it so far
 *
 * A blob exists when its row says `ready`; the row is written after the file's rename.
 * One process at a time fetches a blob: the row in `ingests` names it, and when that
 * process is dead, the next one goes on from the bytes that are there.
 */
export class ContentStore {
  private readonly database: Database;
  private readonly paths: StorePaths;

  constructor(database: Database, paths: StorePaths) {
    this.database = database;
    this.paths = paths;
  }

  path(digest: Digest): string {
    return join(this.paths.blobs, digest.replace(":", "/"));
  }

  /** Size of a blob that is here, in bytes. */
  size(digest: Digest): number | undefined {
    return this.database.get<{ size: number }>(
      "select size from content where digest = ? and state = 'ready'",
      digest,
    )?.size;
  }

  /** The bytes of a blob that is here. For manifests and configs, not for layers. */
  read(digest: Digest): Buffer | undefined {
    if (this.size(digest) === undefined) return undefined;
    return tolerating(["ENOENT"], () => readFileSync(this.path(digest)));
  }

  /** Stores a small blob whose bytes are at hand. */
  write(bytes: Uint8Array): Digest {
    const digest = sha256Digest(bytes);
    if (this.size(digest) !== undefined) return digest;
    const temporary = `${this.ingestPath(digest)}.${process.pid}`;
    mkdirSync(this.paths.ingests, { recursive: true });
    writeFileSync(temporary, bytes, { flush: true });
    this.adopt(digest, bytes.length, temporary);
    return digest;
  }

  /**
   * Asks for the right to fetch a blob; waits while another process does.
   *
   * @returns undefined when the blob is here by then
   */
  async ingest(
    digest: Digest,
    size: number,
    signal: AbortSignal,
    onBusy: () => void = () => {},
  ): Promise<Ingest | undefined> {
    for (;;) {
      signal.throwIfAborted();
      const claim = this.database.transaction(() => this.claim(digest));
      if (claim === "present") return undefined;
      if (claim === "claimed") break;
      onBusy();
      await sleep(POLL, signal);
    }
    mkdirSync(this.paths.ingests, { recursive: true });
    return new Ingest({
      path: this.ingestPath(digest),
      digest,
      size,
      publish: (path) => this.adopt(digest, size, path),
      release: () => void this.database.run("delete from ingests where digest = ?", digest),
    });
  }

  private claim(digest: Digest): "present" | "claimed" | "busy" {
    const row = this.database.get<{ state: string }>(
      "select state from content where digest = ?",
      digest,
    );
    if (row?.state === "ready") return "present";
    // A collector was about to delete it: done here, and it finds nothing to delete.
    if (row !== undefined) this.deleteMarked(digest);
    const busy = this.database.get<{ owner: string }>(
      "select owner from ingests where digest = ?",
      digest,
    );
    if (busy !== undefined && isAlive(busy.owner)) return "busy";
    this.database.run(
      "insert or replace into ingests (digest, owner) values (?, ?)",
      digest,
      ownIdentity(),
    );
    return "claimed";
  }

  /** Moves a complete, verified file into the store; file and row change together. */
  private adopt(digest: Digest, size: number, file: string): void {
    const path = this.path(digest);
    mkdirSync(dirname(path), { recursive: true });
    this.database.transaction(() => {
      renameSync(file, path);
      this.database.run(
        "insert or replace into content (digest, size, state) values (?, ?, 'ready')",
        digest,
        size,
      );
      this.database.run("delete from ingests where digest = ?", digest);
    });
  }

  /** Where the bytes of a blob lie that is being fetched. */
  ingestPath(digest: Digest): string {
    return join(this.paths.ingests, digest.replace(":", "-"));
  }

  /** Deletes a blob that a collector has marked as `removing`, unless it is wanted again. */
  remove(digest: Digest): void {
    this.database.transaction(() => this.deleteMarked(digest));
  }

  /** File and row go in one transaction, so that no new file of that name is hit. */
  private deleteMarked(digest: Digest): void {
    const sql = "delete from content where digest = ? and state = 'removing'";
    if (this.database.run(sql, digest) === 1) rmSync(this.path(digest), { force: true });
  }

  /**
   * Deletes what was fetched of blobs that nobody has gone on with for a week, and files
   * that a process was writing (`write` puts its number behind the name) when it died.
   */
  dropOldIngests(): void {
    const names = tolerating(["ENOENT"], () => readdirSync(this.paths.ingests)) ?? [];
    for (const name of names) {
      const path = join(this.paths.ingests, name);
      const stat = statSync(path, { throwIfNoEntry: false });
      const writer = /\.([0-9]+)$/.exec(name)?.[1];
      const abandoned = writer !== undefined && !existsSync(`/proc/${writer}`);
      if (stat !== undefined && (abandoned || Date.now() - stat.mtimeMs > INGEST_LIFETIME))
        rmSync(path, { force: true });
    }
  }

  /**
   * Forgets a blob whose file is gone or not as long as it was: somebody has meddled with the
   * store, and it is to be fetched again.
   */
  dropDamaged(digest: Digest): void {
    const size = this.size(digest);
    if (size === undefined) return;
    if (statSync(this.path(digest), { throwIfNoEntry: false })?.size === size) return;
    this.database.run("update content set state = 'removing' where digest = ?", digest);
    this.remove(digest);
  }
}
