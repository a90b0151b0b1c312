import { closeSync, fstatSync, openSync, statSync } from "node:fs";
import { tolerating } from "../../sys/errno.ts";
import { sleep } from "../../sys/sleep.ts";
import { type LogLine, LogLineReader } from "./log-line.ts";

const POLL = 50;

export interface FollowOptions {
  /** How many of the last lines; Infinity for all. */
  readonly tail: number;
  /** Whether more may come; left out to stop at the end of the file. */
  readonly follow: (() => boolean) | undefined;
  readonly signal: AbortSignal;
}

/**
 * Reads a container's log, which the launcher writes in the form of Kubernetes' container
 * runtime interface: `<time> <stdout|stderr> <F|P> <text>`, P for a part of a line. It may be
 * in several files, PATH the newest, PATH.1 the one before.
 */
export async function* followLog(path: string, options: FollowOptions): AsyncGenerator<LogLine> {
  using log = new LogFiles(path);
  yield* lastLines(log, options.tail);
  while (options.follow !== undefined) {
    // Asked before reading: what comes until the end is then still read.
    const more = options.follow();
    yield* log.lines();
    if (!more) return;
    await sleep(POLL, options.signal);
  }
}

function* lastLines(log: LogFiles, count: number): Generator<LogLine> {
  if (count === Number.POSITIVE_INFINITY) return yield* log.lines();
  const kept: LogLine[] = [];
  for (const line of log.lines()) {
    kept.push(line);
    // Kept short by and by, not at every line.
    if (kept.length > 2 * count + 100) kept.splice(0, kept.length - count);
  }
  if (count > 0) yield* kept.slice(-count);
}

/** A log's files, read one after the other, while the launcher puts them aside. */
class LogFiles implements Disposable {
  private readonly path: string;
  /** The one that is being read, which may have got another name meanwhile. */
  private fd: number | undefined;
  private reader: LogLineReader | undefined;
  /** The number of the one to go on with; the newest isn't there while it is made. */
  private next: number | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /** What is there now and was not read yet. */
  *lines(): Generator<LogLine> {
    while (this.reader !== undefined || this.open(this.next ?? this.oldest())) {
      const { fd, reader } = this;
      if (fd === undefined || reader === undefined) return;
      // Emptied by the launcher, which keeps one file alone.
      if (fstatSync(fd).size < reader.read) reader.restart();
      const number = this.numberOf(fd);
      yield* reader.lines();
      // Its number was asked for first: one that had another name by then had all its lines.
      if (number === 0) return;
      this.close();
      // One that is gone altogether was followed by all that are there.
      this.next = number === undefined ? undefined : number - 1;
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  private open(number: number): boolean {
    const fd = tolerating(["ENOENT"], () => openSync(this.name(number), "r"));
    if (fd === undefined) return false;
    this.fd = fd;
    this.reader = new LogLineReader(fd);
    return true;
  }

  private close(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
    this.reader = undefined;
  }

  private oldest(): number {
    let number = 0;
    while (statSync(this.name(number + 1), { throwIfNoEntry: false }) !== undefined) number++;
    return number;
  }

  /** Which of the files an open one is by now. */
  private numberOf(fd: number): number | undefined {
    const { ino } = fstatSync(fd);
    for (let number = 0; ; number++) {
      const found = statSync(this.name(number), { throwIfNoEntry: false });
      if (found?.ino === ino) return number;
      // Between two of its names the newest is missing for a moment.
      if (found === undefined && number > 0) return undefined;
    }
  }

  private name(number: number): string {
    return number === 0 ? this.path : `${this.path}.${number}`;
  }
}
