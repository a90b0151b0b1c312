import type { TerminalSize } from "./layer-frame.ts";

/** What a display needs of the stream it writes to; process.stdout and stderr have it. */
export interface TerminalStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly writableNeedDrain?: boolean;
  write(text: string): boolean;
  getWindowSize?(): [columns: number, rows: number];
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

const HIDE_CURSOR = "\x1b[?25l";
const SHOW_CURSOR = "\x1b[?25h";
const WRAP = "\x1b[?7h";
const NO_WRAP = "\x1b[?7l";
/**
 * Erases the whole row. Nothing else is used to erase: to tmux cells that were erased up to
 * the end are still part of a line, and what is erased from the screen's top goes into the
 * history.
 */
const ERASE_ROW = "\x1b[2K";

/** What terminals that don't tell their size are taken for. */
const USUAL: TerminalSize = { columns: 80, rows: 24 };

/**
 * The last lines of a terminal, rewritten in place.
 *
 * Between writes the cursor rests, hidden, at the start of the row below the lines: the one
 * place that a resize moves predictably, and where other output does least harm. Every
 * change is one write.
 *
 * A terminal that gets narrower breaks our lines into several rows; one that gets lower
 * moves the top ones out of the screen, and most bring them back when it grows. So after a
 * resize everything that may be there is erased and written anew.
 */
export class LiveRegion {
  private readonly stream: TerminalStream;
  /** Whether this terminal breaks long lines again when its width changes. */
  private readonly reflows: boolean;
  private shown: readonly string[] = [];
  /** Lines of ours above the screen's top: a higher screen may show them again. */
  private scrolledOff: readonly string[] = [];
  private drawnAt: TerminalSize | undefined;
  private cursorHidden = false;

  constructor(stream: TerminalStream, reflows: boolean) {
    this.stream = stream;
    this.reflows = reflows;
  }

  /** Asked anew each time: a resize is heard of later than it happens. */
  get size(): TerminalSize {
    const { stream } = this;
    const [columns, rows] = stream.getWindowSize?.() ?? [stream.columns, stream.rows];
    return { columns: columns || USUAL.columns, rows: rows || USUAL.rows };
  }

  /** Shows `lines`, made for `size`, in place of those before. */
  draw(lines: readonly string[], size: TerminalSize): void {
    const { columns, rows } = this.drawnAt ?? size;
    const inPlace =
      columns === size.columns && rows === size.rows && lines.length === this.shown.length;
    const text = inPlace ? rewrite(this.shown, lines) : this.eraseAll(size) + written(lines);
    this.drawnAt = size;
    if (text === "") return;
    this.write(text);
    this.shown = lines;
  }

  /** Writes `text` above `lines`, for good; it may be as long as it likes. */
  print(text: string, lines: readonly string[], size: TerminalSize): void {
    this.write(`${this.eraseAll(size)}${WRAP}${text}\r\n${NO_WRAP}${written(lines)}`);
    this.drawnAt = size;
    this.shown = lines;
    // They now stand above `text`, which must not be erased with them.
    this.scrolledOff = [];
  }

  /** Leaves the lines as they are, the cursor visible below them. */
  release(): void {
    if (this.cursorHidden) this.stream.write(`\r${ERASE_ROW}${SHOW_CURSOR}`);
    this.cursorHidden = false;
  }

  /** Forgets what is on the screen: the next lines start where the cursor is. */
  restart(): void {
    this.shown = [];
    this.scrolledOff = [];
    this.drawnAt = undefined;
  }

  /** Erases all rows that may be ours and moves to the first; the top stops the move. */
  private eraseAll(size: TerminalSize): string {
    const lines = [...this.scrolledOff, ...this.shown];
    const height = this.heightOf(lines, size);
    const returned = Math.max(0, size.rows - (this.drawnAt ?? size).rows);
    // Rows that left at the top, less those that came back, are out of reach: of a broken
    // line perhaps only its beginning.
    let lost = Math.max(this.heightOf(this.scrolledOff, size) - returned, height - (size.rows - 1));
    this.scrolledOff = lines.flatMap((line) => {
      const part = Math.min(lost, this.heightOf([line], size));
      lost -= part;
      return part <= 0 ? [] : [line.slice(0, part * size.columns)];
    });
    const below = Math.min(height, size.rows - 1);
    return `\r${up(height)}${(ERASE_ROW + down(1)).repeat(below)}${ERASE_ROW}${up(below)}`;
  }

  /** How many rows `lines` take, which may have been written on a wider screen. */
  private heightOf(lines: readonly string[], { columns }: TerminalSize): number {
    if (!this.reflows) return lines.length;
    return lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0);
  }

  private write(text: string): void {
    const hide = this.cursorHidden ? "" : HIDE_CURSOR;
    this.cursorHidden = true;
    // Were the window narrower than it said a moment ago, lines are cut and not broken.
    this.stream.write(`${hide}${NO_WRAP}${text}${WRAP}`);
  }
}

function written(lines: readonly string[]): string {
  return lines.map((line) => `${line}\r\n`).join("");
}

/** Writes those of `after` that differ from `before`, which are as many; else nothing. */
function rewrite(before: readonly string[], after: readonly string[]): string {
  const first = after.findIndex((line, at) => line !== before[at]);
  if (first === -1) return "";
  let text = `\r${up(after.length - first)}`;
  let row = first;
  for (const [at, line] of after.entries()) {
    if (line === before[at]) continue;
    text += `${down(at - row)}${ERASE_ROW}${line}\r\n`;
    row = at + 1;
  }
  // Something else may have been typed on the cursor's row, such as ^C.
  return `${text}${down(after.length - row)}${ERASE_ROW}`;
}

function up(rows: number): string {
  return rows === 0 ? "" : `\x1b[${rows}A`;
}

function down(rows: number): string {
  return rows === 0 ? "" : `\x1b[${rows}B`;
}
