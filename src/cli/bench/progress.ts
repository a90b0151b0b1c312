import type { FromBench } from "../../bench/process/request.ts";
import type { Suite } from "../../bench/suite.ts";
import { guardCursor } from "../output/cursor-guard.ts";
import { escapeControl } from "../output/escape-control.ts";
import { LiveRegion, type TerminalStream } from "../output/live-region.ts";

/** How often the time that is left is written anew, in milliseconds. */
const TICK = 1000;

/** What a bench does now and how long it will: one live line on a terminal, else one a suite. */
export class BenchProgress {
  private readonly stream: TerminalStream;
  private readonly suites: readonly string[];
  private readonly live: LiveRegion | undefined;
  private readonly releaseCursor: () => void = () => {};
  private readonly timer: NodeJS.Timeout | undefined;
  private what = "making places";
  private end: number | undefined;
  private told = "";
  private isStopping = false;

  constructor(stream: TerminalStream, suites: readonly Suite[]) {
    this.stream = stream;
    this.suites = suites.map(({ name }) => name);
    if (stream.isTTY !== true || process.env["TERM"] === "dumb") return;
    this.live = new LiveRegion(stream, true);
    this.releaseCursor = guardCursor({
      restore: () => this.live?.release(),
      resume: () => {
        this.live?.restart();
        this.draw();
      },
    });
    this.timer = setInterval(() => this.draw(), TICK);
  }

  show(message: FromBench): void {
    switch (message.kind) {
      case "making":
        this.what = `making a place for ${message.driver}`;
        break;
      case "ready":
        for (const { driver, reason } of message.absent)
          this.line(`${driver} is left out: ${reason}`);
        break;
      case "progress":
        this.step(message);
        break;
      case "note":
        this.line(
          `${message.suite}, ${message.place}: ${message.out ? "left out: " : ""}${message.text}`,
        );
        break;
    }
    this.draw();
  }

  stopping(): void {
    this.isStopping = true;
    this.line("stopping after this step; what was measured is kept (Ctrl-C again: at once)");
  }

  close(): void {
    clearInterval(this.timer);
    if (this.live === undefined) return;
    this.live.draw([], this.live.size);
    this.live.release();
    this.releaseCursor();
  }

  private step(event: Extract<FromBench, { kind: "progress" }>): void {
    const { suite, place, phase, round, rounds, left } = event;
    const number = `[${this.suites.indexOf(suite) + 1}/${this.suites.length}]`;
    const turn = phase === "measuring" ? `round ${round} of ${rounds}` : phase;
    this.what = `${number} ${suite}: ${place}, ${turn}`;
    this.end = performance.now() + left;
    if (this.live === undefined && this.told !== suite) this.line(`${number} ${suite}`);
    this.told = suite;
  }

  /** A line that stays. */
  private line(text: string): void {
    const shown = escapeControl(text);
    if (this.live === undefined) this.stream.write(`${shown}\n`);
    else this.live.print(shown, this.lines(), this.live.size);
  }

  private draw(): void {
    this.live?.draw(this.lines(), this.live.size);
  }

  private lines(): readonly string[] {
    const left = this.end === undefined ? "" : `, ${clockTime(this.end - performance.now())} left`;
    const text = this.isStopping ? `stopping: ${this.what}` : `${this.what}${left}`;
    return [escapeControl(text).slice(0, (this.live?.size.columns ?? 80) - 1)];
  }
}

/** `9:05`: minutes and seconds, rounded up. */
function clockTime(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
