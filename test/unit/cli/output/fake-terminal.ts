import type { TerminalStream } from "../../../../src/cli/output/live-region.ts";

interface Row {
  text: string;
  /** The line goes on in the next row. */
  wraps: boolean;
}

export interface FakeTerminalOptions {
  readonly columns: number;
  readonly rows: number;
  /** Breaks lines anew when the width changes; else cuts them. */
  readonly reflows?: boolean;
  /** Shows lines again that had left at the top when the height grows. */
  readonly pullsBack?: boolean;
}

/** A terminal that understands exactly what the display writes and refuses anything else. */
export class FakeTerminal implements TerminalStream {
  readonly isTTY = true;
  readonly writes: string[] = [];
  columns: number;
  rows: number;
  cursorVisible = true;
  private readonly reflows: boolean;
  private readonly pullsBack: boolean;
  /** The history, then the screen. */
  private buffer: Row[] = [{ text: "", wraps: false }];
  private top = 0;
  private row = 0;
  private column = 0;
  private autowrap = true;
  private readonly listeners = new Set<() => void>();

  constructor({ columns, rows, reflows = true, pullsBack = true }: FakeTerminalOptions) {
    this.columns = columns;
    this.rows = rows;
    this.reflows = reflows;
    this.pullsBack = pullsBack;
  }

  on(_event: "resize", listener: () => void): void {
    this.listeners.add(listener);
  }

  off(_event: "resize", listener: () => void): void {
    this.listeners.delete(listener);
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  /** What stands on the screen, without the blank rows at its end. */
  get screen(): string[] {
    const rows = this.buffer.slice(this.top, this.top + this.rows).map((row) => row.text.trimEnd());
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  /** Lines as they were written, history included. */
  get everything(): string[] {
    return this.logicalLines().map((line) => line.trimEnd());
  }

  get cursor(): { readonly row: number; readonly column: number } {
    return { row: this.row - this.top, column: this.column };
  }

  write(text: string): boolean {
    this.writes.push(text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    for (const [token] of text.matchAll(/\x1b\[\??\d*[A-Za-z]|[\s\S]/g)) this.obey(token);
    return true;
  }

  resize(columns: number, rows: number): void {
    if (columns !== this.columns) this.changeWidth(columns);
    const grown = rows - this.rows;
    if (grown > 0 && this.pullsBack) this.top = Math.max(0, this.top - grown);
    this.columns = columns;
    this.rows = rows;
    this.top = Math.max(this.top, this.row - rows + 1);
    for (const listener of [...this.listeners]) listener();
  }

  private obey(token: string): void {
    const count = Number(/\d+/.exec(token)?.[0] ?? 1);
    if (token === "\r") this.column = 0;
    else if (token === "\n") this.lineFeed();
    else if (token === "\x1b[?25l") this.cursorVisible = false;
    else if (token === "\x1b[?25h") this.cursorVisible = true;
    else if (token === "\x1b[?7l") this.autowrap = false;
    else if (token === "\x1b[?7h") this.autowrap = true;
    else if (token === "\x1b[2K") this.eraseRow();
    else if (token === `\x1b[${count}A`) this.row = Math.max(this.top, this.row - count);
    else if (token === `\x1b[${count}B`) this.moveDown(count);
    else if (token >= " " && token !== "\x7f") this.put(token);
    else throw new Error(`the terminal doesn't know ${JSON.stringify(token)}`);
  }

  private get current(): Row {
    const row = this.buffer[this.row];
    if (row === undefined) throw new Error("the cursor has left the buffer");
    return row;
  }

  private put(character: string): void {
    if (this.column >= this.columns) {
      if (this.autowrap) {
        this.current.wraps = true;
        this.lineFeed();
        this.column = 0;
      } else this.column = this.columns - 1;
    }
    const { text } = this.current;
    const before = text.slice(0, this.column).padEnd(this.column);
    this.current.text = before + character + text.slice(this.column + 1);
    this.column += 1;
  }

  private lineFeed(): void {
    this.row += 1;
    if (this.row >= this.top + this.rows) this.top += 1;
    if (this.row === this.buffer.length) this.buffer.push({ text: "", wraps: false });
  }

  private moveDown(count: number): void {
    this.row = Math.min(this.row + count, this.top + this.rows - 1);
    while (this.buffer.length <= this.row) this.buffer.push({ text: "", wraps: false });
  }

  private eraseRow(): void {
    this.current.text = "";
    this.current.wraps = false;
    // A line whose end is erased ends where it was broken.
    const above = this.buffer[this.row - 1];
    if (above !== undefined) above.wraps = false;
  }

  private logicalLines(): string[] {
    const lines: string[] = [];
    let open = false;
    for (const { text, wraps } of this.buffer) {
      if (open) lines.push((lines.pop() ?? "") + text);
      else lines.push(text);
      open = wraps;
    }
    return lines;
  }

  private changeWidth(columns: number): void {
    if (!this.reflows) {
      for (const row of this.buffer.slice(this.top)) row.text = row.text.slice(0, columns);
      this.column = Math.min(this.column, columns - 1);
      return;
    }
    const lineOf = this.buffer.map(
      (_, at) => this.buffer.slice(0, at).filter((r) => !r.wraps).length,
    );
    const [cursorLine = 0, topLine = 0] = [lineOf[this.row], lineOf[this.top]];
    const firstRows: number[] = [];
    const rows: Row[] = [];
    for (const line of this.logicalLines()) {
      firstRows.push(rows.length);
      const pieces = Math.max(1, Math.ceil(line.length / columns));
      for (let at = 0; at < pieces; at++)
        rows.push({
          text: line.slice(at * columns, (at + 1) * columns),
          wraps: at < pieces - 1,
        });
    }
    this.buffer = rows;
    this.row = firstRows[cursorLine] ?? 0;
    this.column = Math.min(this.column, columns - 1);
    this.top = Math.min(firstRows[topLine] ?? 0, this.row);
  }
}
