import { openSync, readSync, writeSync } from "node:fs";
import { TsimgError } from "../sys/error.ts";
import { newHash } from "../sys/hash.ts";
import { enterLayer, leaveHost } from "./confine.ts";
import { createDecompressor } from "./inflate.ts";
import { LayerWriter } from "./layer-writer.ts";
import type { UnpackResult } from "./remainder.ts";
import { TarParser } from "./tar/parser.ts";
import type { FromUnpacker, ToUnpacker, UnpackJob } from "./unpack-messages.ts";

/** Input a turn: zlib-sync takes no more at once. */
const INPUT = 64 * 1024;
/** Bytes of the blob between two reports of progress. */
const REPORT_EVERY = 1 << 20;
/** Bytes of inflated data after which their buffers are given back. */
const COLLECT_EVERY = 8 << 20;

/**
 * The program of an unpack process: one layer, then it ends. It is started before there is
 * anything to do, confines itself, and waits for its job on stdin.
 */
export async function main(): Promise<void> {
  leaveHost(Number(process.argv[2]));
  const inbox = new Inbox();
  const job = await inbox.job();
  const blob = openSync(job.blob, "r");
  enterLayer(job.directory);
  try {
    send({ result: await unpack(job, blob, inbox) });
  } catch (error) {
    send({ failure: failure(error) });
  }
  process.exit(0);
}

async function unpack(job: UnpackJob, blob: number, inbox: Inbox): Promise<UnpackResult> {
  const writer = new LayerWriter();
  const parser = new TarParser(writer, job.limits);
  const hash = newHash("sha256");
  let garbage = 0;
  const emit = (chunk: Buffer): void => {
    hash.update(chunk);
    parser.push(chunk);
    garbage += chunk.length;
  };
  const decompressor = createDecompressor(job.compression, emit, {
    maxOutputBytes: job.maxBytes,
  });
  const buffer = Buffer.allocUnsafeSlow(INPUT);
  let reported = 0;
  for (let position = 0; position < job.size; ) {
    if (position >= inbox.available) await inbox.more(position);
    const wanted = Math.min(INPUT, inbox.available - position);
    const count = readSync(blob, buffer, 0, wanted, position);
    if (count === 0)
      throw new TsimgError("ERR_LAYER_CORRUPT", "the blob is shorter than its size says");
    position += count;
    const pending = decompressor.push(buffer.subarray(0, count));
    if (pending !== undefined) await pending;
    if (garbage >= COLLECT_EVERY) {
      garbage = 0;
      globalThis.gc?.({ type: "minor", execution: "sync" });
    }
    if (position - reported >= REPORT_EVERY) {
      reported = position;
      send({ progress: position });
    }
  }
  await decompressor.finish();
  parser.end();
  const remainder = writer.finish();
  const diffId = `sha256:${hash.digest("hex")}`;
  return { diffId, bytes: writer.bytes, entries: writer.entries, remainder };
}

/** Messages from the parent. */
class Inbox {
  available = 0;
  private readonly jobArrived: Promise<UnpackJob>;
  private wake: () => void = () => {};

  constructor() {
    this.jobArrived = new Promise((resolve) => this.listen(resolve));
  }

  job(): Promise<UnpackJob> {
    return this.jobArrived;
  }

  /** Waits until there are more than `position` bytes. */
  async more(position: number): Promise<void> {
    while (this.available <= position)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
  }

  private listen(take: (job: UnpackJob) => void): void {
    let rest = "";
    process.stdin.setEncoding("utf8");
    // The parent is gone or wants nothing more.
    process.stdin.on("end", () => process.exit(1));
    process.stdin.on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const message = JSON.parse(line) as ToUnpacker;
        if ("job" in message) take(message.job);
        else this.available = message.available;
      }
      this.wake();
    });
  }
}

/** Synchronous, so that the parent hears it even when this process ends right after. */
function send(message: FromUnpacker): void {
  const bytes = Buffer.from(`${JSON.stringify(message)}\n`);
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(1, bytes, done);
    } catch (error) {
      // A full pipe, were it ever set non-blocking: the parent is slow, not gone.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }
}

function failure(error: unknown): Extract<FromUnpacker, { failure: unknown }>["failure"] {
  if (error instanceof TsimgError)
    return { code: error.code, message: error.message, ...(error.hint && { hint: error.hint }) };
  return {
    code: "ERR_UNPACK",
    message: String(error instanceof Error ? (error.stack ?? error) : error),
  };
}
