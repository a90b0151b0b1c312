import { closeSync, openSync, readSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { sleep } from "../../sys/sleep.ts";

const READ_SIZE = 64 * 1024;
const POLL = 50;
const NEWLINE = 10;

/** A line of output, or with a very long one a part of it, which then has no newline. */
export interface LogLine {
  /** RFC 3339 with nanoseconds: when it was written. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly text: Buffer;
}

export interface FollowOptions {
  /** How many of the last lines; Infinity for all. */
  readonly tail: number;
  /** Whether more may come; left out to stop at the end of the file. */
  readonly follow: (() => boolean) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads a container's log, which the launcher writes in the form of Kubernetes' container
 * runtime interface: `<time> <stdout|stderr> <F|P> <text>`, P for a part of a line.
 */
export async function* followLog(path: string, options: FollowOptions): AsyncGenerator<LogLine> {
  const fd = tolerating(["ENOENT"], () => openSync(path, "r"));
  if (fd === undefined) return;
  try {
    const reader = new LineReader(fd);
    yield* lastLines(reader, options.tail);
    while (options.follow !== undefined) {
      // Asked before reading: what comes until the end is then still read.
      const more = options.follow();
      yield* reader.lines();
      if (!more) return;
      await sleep(POLL, options.signal);
    }
  } finally {
    closeSync(fd);
  }
}

function* lastLines(reader: LineReader, count: number): Generator<LogLine> {
  if (count === Number.POSITIVE_INFINITY) return yield* reader.lines();
  const kept: LogLine[] = [];
  for (const line of reader.lines()) {
    kept.push(line);
    // Kept short by and by, not at every line.
    if (kept.length > 2 * count + 100) kept.splice(0, kept.length - count);
  }
  if (count > 0) yield* kept.slice(-count);
}

class LineReader {
  private readonly fd: number;
  private rest = Buffer.alloc(0);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** The whole lines from here to the end of the file as it is now. */
  *lines(): Generator<LogLine> {
    const buffer = Buffer.alloc(READ_SIZE);
    for (let count = readSync(this.fd, buffer); count > 0; count = readSync(this.fd, buffer)) {
      let bytes = Buffer.concat([this.rest, buffer.subarray(0, count)]);
      for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE)) {
        const line = parseLine(bytes.subarray(0, end));
        if (line !== undefined) yield line;
        bytes = bytes.subarray(end + 1);
      }
      this.rest = Buffer.from(bytes);
    }
  }
}

function parseLine(line: Buffer): LogLine | undefined {
  const head = /^(\S+) (stdout|stderr) ([FP]) /.exec(line.subarray(0, 64).toString("latin1"));
  if (head === null) return undefined;
  const [prefix, time = "", stream, kind] = head;
  const text = line.subarray(prefix.length);
  return {
    time,
    stream: stream === "stderr" ? "stderr" : "stdout",
    text: kind === "F" ? Buffer.concat([text, Buffer.from("\n")]) : text,
  };
}
