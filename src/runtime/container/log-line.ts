import { readSync } from "node:fs";

const READ_SIZE = 64 * 1024;
const NEWLINE = 10;

/** A line of output, or with a very long one a part of it, which then has no newline. */
export interface LogLine {
  /** RFC 3339 with nanoseconds: when it was written. */
  readonly time: string;
  readonly stream: "stdout" | "stderr";
  readonly text: Buffer;
}

/** Reads a file of a log from its beginning, as far as whole lines are there. */
export class LogLineReader {
  private readonly fd: number;
  private rest = Buffer.alloc(0);
  private position = 0;

  constructor(fd: number) {
    this.fd = fd;
  }

  /** Bytes read so far: a file that is shorter was emptied. */
  get read(): number {
    return this.position;
  }

  /** Goes back to the beginning of the file. */
  restart(): void {
    this.position = 0;
    this.rest = Buffer.alloc(0);
  }

  /** The whole lines from here to the end of the file as it is now. */
  *lines(): Generator<LogLine> {
    const buffer = Buffer.alloc(READ_SIZE);
    for (;;) {
      const count = readSync(this.fd, buffer, 0, READ_SIZE, this.position);
      if (count === 0) return;
      this.position += count;
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
