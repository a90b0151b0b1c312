import { openSync, readSync, writeSync } from "node:fs";
import { errorCode } from "../sys/errno.ts";
import { TsimgError } from "../sys/error.ts";
import { newHash } from "../sys/hash.ts";
import { type ArchiveSink, LayerSink, SpoolSink } from "./archive-sink.ts";
import { enterLayer, leaveHost } from "./confine.ts";
import { createDecompressor } from "./inflate.ts";
import type { UnpackResult } from "./remainder.ts";
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
  const spool = job.into.form === "spool" ? openSync(job.into.file, "r+") : undefined;
  enterLayer(job.directory);
  try {
    send({ result: await unpack(job, blob, sinkOf(job, spool), inbox) });
  } catch (error) {
    send({ failure: failure(error) });
  }
  process.exit(0);
}

function sinkOf({ into, limits, oneOwner }: UnpackJob, spool: number | undefined): ArchiveSink {
  if (spool !== undefined) return new SpoolSink(spool);
  return into.form === "image" ? LayerSink.intoImage(limits) : LayerSink.onDisk(limits, oneOwner);
}

/** Inflates the blob into a sink, as fast as the blob grows. */
async function unpack(
  job: UnpackJob,
  blob: number,
  sink: ArchiveSink,
  inbox: Inbox,
): Promise<UnpackResult> {
  const hash = newHash("sha256");
  let inflated = 0;
  let collected = 0;
  const emit = (chunk: Buffer): void => {
    if (job.digest) hash.update(chunk);
    sink.push(chunk);
    inflated += chunk.length;
  };
  const decompressor = createDecompressor(job.compression, emit, {
    maxOutputBytes: job.maxBytes,
  });
  const buffer = Buffer.allocUnsafeSlow(INPUT);
  let position = 0;
  let reported = 0;
  while (await inbox.more(position)) {
    const wanted = Math.min(INPUT, inbox.available - position);
    const count = readSync(blob, buffer, 0, wanted, position);
    if (count === 0)
      throw new TsimgError("ERR_LAYER_CORRUPT", "the blob is shorter than its size says");
    position += count;
    const pending = decompressor.push(buffer.subarray(0, count));
    if (pending !== undefined) await pending;
    if (inflated - collected >= COLLECT_EVERY) {
      collected = inflated;
      globalThis.gc?.({ type: "minor", execution: "sync" });
    }
    if (position - reported >= REPORT_EVERY) {
      reported = position;
      send({ progress: position, inflated });
    }
  }
  await decompressor.finish();
  const diffId = job.digest ? `sha256:${hash.digest("hex")}` : "";
  return { diffId, ...sink.finish() };
}

/** Messages from the parent. */
class Inbox {
  available = 0;
  private last = false;
  private readonly jobArrived: Promise<UnpackJob>;
  private wake: () => void = () => {};

  constructor() {
    this.jobArrived = new Promise((resolve) => this.listen(resolve));
  }

  job(): Promise<UnpackJob> {
    return this.jobArrived;
  }

  /** Waits until there are more than `position` bytes. @returns false when there won't be */
  more(position: number): boolean | Promise<boolean> {
    if (this.available > position) return true;
    return !this.last && this.waitForMore(position);
  }

  private async waitForMore(position: number): Promise<boolean> {
    await new Promise<void>((resolve) => {
      this.wake = resolve;
    });
    return this.more(position);
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
        else {
          this.available = message.available;
          this.last = message.last;
        }
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
  const errno = errorCode(error instanceof TsimgError ? error.cause : error);
  const about = errno === undefined ? {} : { errno };
  if (error instanceof TsimgError)
    return {
      code: error.code,
      message: error.message,
      ...(error.hint && { hint: error.hint }),
      ...about,
    };
  const message = String(error instanceof Error ? (error.stack ?? error) : error);
  return { code: "ERR_UNPACK", message, ...about };
}
