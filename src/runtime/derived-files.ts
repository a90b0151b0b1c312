import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { tolerating } from "../sys/errno.ts";
import { randomHex } from "../sys/random.ts";

/** More files than this, and the older half goes. */
const MAX_FILES = 128;

/**
 * Bytes that follow from a text and take long to work out, kept in a directory: one file
 * each, which holds the text, a NUL, the bytes and their length. What isn't for exactly this
 * text, or not whole, is as good as not there. Where nothing can be written nothing is kept.
 */
export class DerivedFiles {
  private readonly directory: string;

  /** @param directory absolute; made when missing, only to be written by who runs containers */
  constructor(directory: string) {
    this.directory = directory;
  }

  find(text: string): Buffer | undefined {
    const source = Buffer.from(`${text}\0`);
    let content: Buffer;
    try {
      content = readFileSync(this.path(source));
    } catch {
      return undefined;
    }
    if (!content.subarray(0, source.length).equals(source)) return undefined;
    const bytes = content.subarray(source.length, -4);
    const whole =
      content.length >= source.length + 4 && content.subarray(-4).equals(lengthOf(bytes));
    return whole ? bytes : undefined;
  }

  keep(text: string, bytes: Buffer): void {
    const source = Buffer.from(`${text}\0`);
    const path = this.path(source);
    const unfinished = `${path}.${randomHex(16)}`;
    try {
      mkdirSync(this.directory, { recursive: true, mode: 0o700 });
      this.makeRoom();
      writeFileSync(unfinished, Buffer.concat([source, bytes, lengthOf(bytes)]), { mode: 0o600 });
      renameSync(unfinished, path);
    } catch {
      // A full or read-only disk: the next time it takes long again.
      tolerating(["ENOTDIR", "EROFS", "EACCES"], () => rmSync(unfinished, { force: true }));
    }
  }

  private path(source: Buffer): string {
    return join(this.directory, fingerprint(source));
  }

  private makeRoom(): void {
    const names = readdirSync(this.directory);
    if (names.length < MAX_FILES) return;
    const age = (name: string) =>
      statSync(join(this.directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const oldest = names.map((name) => ({ name, at: age(name) })).sort((a, b) => a.at - b.at);
    for (const { name } of oldest.slice(0, MAX_FILES / 2))
      rmSync(join(this.directory, name), { force: true });
  }
}

/** Ends a file, so that one cut short is told from a whole one. */
function lengthOf(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return length;
}

/**
 * A short name for `bytes`: its length and a hash (FNV-1a) of 512 bytes of it. Two texts may
 * share one: the file's own text tells them apart. A cryptographic hash would take 7 ms to
 * load, and all bytes 1 ms to go through.
 */
function fingerprint(bytes: Buffer): string {
  const stride = Math.max(1, Math.floor(bytes.length / 512));
  let hash = 0x811c9dc5;
  for (let at = 0; at < bytes.length; at += stride)
    hash = Math.imul(hash ^ (bytes[at] ?? 0), 0x01000193) >>> 0;
  return `${bytes.length}-${hash.toString(16).padStart(8, "0")}`;
}
