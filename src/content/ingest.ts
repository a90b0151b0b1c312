import type { Hash } from "node:crypto";
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import type { Digest } from "../oci/digest.ts";
import { TsimgError } from "../sys/error.ts";
import { newHash } from "../sys/hash.ts";
import { noSpaceError } from "../sys/no-space.ts";

const READ_SIZE = 1 << 20;

export interface IngestPlan {
  readonly path: string;
  readonly digest: Digest;
  /** What the descriptor says, in bytes. */
  readonly size: number;
  /** Makes the complete file at `path` a blob of the store. */
  publish(path: string): void;
  /** Gives up the right to fetch; what was fetched stays for the next attempt. */
  release(): void;
}

/**
 * A blob on its way in. It may go on where an earlier process was cut off: `offset` tells
 * how much is there. Disposing without `publish` keeps the bytes for the next attempt.
 */
export class Ingest implements Disposable {
  readonly path: string;
  private readonly plan: IngestPlan;
  private readonly fd: number;
  private hash: Hash;
  private position = 0;
  private open = true;
  private published = false;

  constructor(plan: IngestPlan) {
    this.plan = plan;
    this.path = plan.path;
    this.fd = openSync(plan.path, "a+", 0o600);
    const [algorithm = "sha256"] = plan.digest.split(":");
    this.hash = newHash(algorithm);
    this.takeUp();
  }

  /** Path of the file for another process, good until disposal, also when it is renamed. */
  get sharedPath(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  /** How many bytes are on the disk, from the start. */
  get offset(): number {
    return this.position;
  }

  write(chunk: Buffer): void {
    this.hash.update(chunk);
    try {
      for (let done = 0; done < chunk.length; ) done += writeSync(this.fd, chunk, done);
    } catch (error) {
      throw noSpaceError(error, this.path) ?? error;
    }
    this.position += chunk.length;
  }

  /** Forgets all bytes: the server can't go on in the middle, or they were wrong. */
  restart(): void {
    ftruncateSync(this.fd, 0);
    this.position = 0;
    const [algorithm = "sha256"] = this.plan.digest.split(":");
    this.hash = newHash(algorithm);
  }

  /**
   * Compares size and digest with what the descriptor said.
   * @throws TsimgError ERR_SIZE_MISMATCH, ERR_DIGEST_MISMATCH; the bytes are then dropped
   */
  verify(): void {
    const { digest, size } = this.plan;
    const got = this.position;
    const actual = `${digest.split(":")[0]}:${this.hash.digest("hex")}`;
    if (got === size && actual === digest) return;
    this.restart();
    const hint =
      "the registry or something on the way altered it: try again, or tell the image's publisher";
    if (got !== size) {
      const message = `blob '${digest}' has ${got} bytes, its descriptor says ${size}`;
      throw new TsimgError("ERR_SIZE_MISMATCH", message, { hint });
    }
    throw new TsimgError("ERR_DIGEST_MISMATCH", `blob '${digest}' has the digest ${actual}`, {
      hint,
    });
  }

  /** Makes the verified bytes, which are on the disk by now, a blob of the store. */
  publish(): void {
    this.plan.publish(this.path);
    this.published = true;
  }

  /** Deletes what was fetched: it is of no use to a next attempt. */
  discard(): void {
    if (this.open && !this.published) rmSync(this.path, { force: true });
  }

  [Symbol.dispose](): void {
    if (!this.open) return;
    this.open = false;
    closeSync(this.fd);
    if (!this.published) this.plan.release();
  }

  /** Hashes what an earlier attempt left, so that the rest can follow. */
  private takeUp(): void {
    const size = fstatSync(this.fd).size;
    if (size > this.plan.size) return this.restart();
    const buffer = Buffer.alloc(Math.min(READ_SIZE, size));
    while (this.position < size) {
      const count = readSync(this.fd, buffer, 0, buffer.length, this.position);
      if (count === 0) break;
      this.hash.update(buffer.subarray(0, count));
      this.position += count;
    }
  }
}
