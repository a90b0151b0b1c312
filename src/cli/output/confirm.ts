import { TsimgError } from "../../sys/error.ts";

/**
 * Asks whether to go on, at the terminal or of whoever writes to standard input.
 *
 * @param warning what is about to happen
 * @throws TsimgError ERR_USAGE when nobody answers
 */
export async function isConfirmed(warning: string): Promise<boolean> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  using gone = new AbortOnClose(lines);
  const question = `WARNING! ${warning}\nAre you sure you want to continue? [y/N] `;
  try {
    const answer = await lines.question(question, { signal: gone.signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    if (!gone.signal.aborted) throw error;
    throw new TsimgError("ERR_USAGE", "nobody has said yes", {
      hint: "where nobody can be asked, say so with --force",
    });
  } finally {
    lines.close();
  }
}

/** Its signal is aborted when there is nothing more to read. */
class AbortOnClose implements Disposable {
  private readonly controller = new AbortController();
  private readonly abort = () => this.controller.abort();
  private readonly lines: NodeJS.EventEmitter;

  constructor(lines: NodeJS.EventEmitter) {
    this.lines = lines;
    lines.once("close", this.abort);
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  [Symbol.dispose](): void {
    this.lines.off("close", this.abort);
  }
}
