import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import type { Decompressor } from "./inflate.ts";
import { checkTrailing, corruptStream } from "./inflate-trailing.ts";

/** The default of 16 KiB costs a trip to the thread pool for each, and half the speed. */
const CHUNK_SIZE = 256 * 1024;
/** 128 MiB: what the zstd program takes unasked, and writes at its highest level. */
const ZSTD_WINDOW_LOG_MAX = 27;

/** node:zlib, off the main thread: gzip with any number of members, and zstd. */
export class NodeDecompressor implements Decompressor {
  readonly #format: "gzip" | "zstd";
  readonly #stream;
  #written = 0;
  /** The engine took no more: from here on only what may trail a stream. */
  #ended = false;
  #failure: unknown;
  #reject: ((failure: unknown) => void) | undefined;

  constructor(format: "gzip" | "zstd", emit: (chunk: Buffer) => void) {
    this.#format = format;
    this.#stream = format === "gzip" ? gunzipStream() : zstdStream();
    this.#stream.on("data", (chunk: Buffer) => {
      if (this.#failure !== undefined) return;
      try {
        emit(chunk);
      } catch (error) {
        this.#fail(error);
      }
    });
    this.#stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#fail(corruptStream(format, describe(error), error));
    });
  }

  async push(chunk: Buffer): Promise<void> {
    if (this.#ended) return checkTrailing(this.#format, chunk);
    if (chunk.length === 0) return;
    await this.#settled((done) => {
      this.#stream.write(chunk, () => {
        this.#drain();
        done();
      });
    });
    this.#written += chunk.length;
    const untaken = this.#written - this.#stream.bytesWritten;
    if (untaken === 0) return;
    this.#ended = true;
    checkTrailing(this.#format, chunk.subarray(chunk.length - untaken));
  }

  async finish(): Promise<void> {
    if (this.#ended) return;
    await this.#settled((done) => {
      this.#stream.once("end", done);
      this.#stream.end();
    });
  }

  close(): void {
    this.#fail(new Error("the decompressor was closed"));
  }

  /** A failure may come while nothing is under way; it is then the next call's answer. */
  #settled(start: (done: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      if (this.#failure === undefined) start(resolve);
      else reject(this.#failure);
    });
  }

  #drain(): void {
    while (this.#stream.read() !== null);
  }

  #fail(failure: unknown): void {
    this.#failure ??= failure;
    this.#reject?.(this.#failure);
    this.#stream.destroy();
  }
}

function gunzipStream() {
  return createGunzip({ chunkSize: CHUNK_SIZE });
}

function zstdStream() {
  return createZstdDecompress({
    chunkSize: CHUNK_SIZE,
    params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
  });
}

function describe(error: NodeJS.ErrnoException): string {
  if (error.code === "ZSTD_error_frameParameter_windowTooLarge") {
    return `needs a window of more than ${2 ** ZSTD_WINDOW_LOG_MAX} bytes`;
  }
  if (error.code === "Z_BUF_ERROR") return "is cut short";
  return `is corrupt: ${error.message}`;
}
