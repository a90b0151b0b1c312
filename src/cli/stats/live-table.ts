import { guardCursor } from "../output/cursor-guard.ts";
import { LiveRegion, type TerminalStream } from "../output/live-region.ts";

/** A table on a terminal that is drawn anew in its place. Disposing leaves the last one. */
export class LiveTable implements Disposable {
  private readonly region: LiveRegion;
  private readonly stream: TerminalStream;
  private readonly releaseCursor: () => void;
  private text = "";

  constructor(stream: TerminalStream) {
    this.stream = stream;
    this.region = new LiveRegion(stream, true);
    stream.on("resize", this.redraw);
    this.releaseCursor = guardCursor({
      restore: () => this.region.release(),
      resume: () => {
        this.region.restart();
        this.redraw();
      },
    });
  }

  /** @param text lines, each ended; those that have no room are left out */
  draw(text: string): void {
    this.text = text;
    this.redraw();
  }

  [Symbol.dispose](): void {
    this.region.release();
    this.releaseCursor();
    this.stream.off("resize", this.redraw);
  }

  private readonly redraw = (): void => {
    const { size } = this.region;
    const lines = this.text.split("\n").slice(0, -1);
    const shown = lines.slice(0, Math.max(0, size.rows - 1));
    this.region.draw(
      shown.map((line) => line.slice(0, Math.max(0, size.columns - 1))),
      size,
    );
  };
}
