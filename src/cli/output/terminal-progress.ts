import type { LayerEvent } from "../../image/events.ts";
import type { Clock } from "./clock.ts";
import { guardCursor } from "./cursor-guard.ts";
import { escapeControl } from "./escape-control.ts";
import { layerFrame, type TerminalSize } from "./layer-frame.ts";
import { LiveRegion, type TerminalStream } from "./live-region.ts";
import type { LayerDescriptor, PullProgress } from "./progress.ts";
import { shortId } from "./shorten.ts";
import { SpeedMeter } from "./speed.ts";

/** Fifteen frames a second at most. */
const FRAME_MS = 67;

/** How often a transfer that stalls shows its falling speed. */
const IDLE_MS = 500;

interface LayerState {
  readonly id: string;
  readonly speed: SpeedMeter;
  event: Pick<LayerEvent, "phase" | "current" | "total">;
}

/** One line a layer, rewritten in place. */
export class TerminalProgress implements PullProgress {
  private readonly stream: TerminalStream;
  private readonly clock: Clock;
  private readonly region: LiveRegion;
  private readonly states = new Map<string, LayerState>();
  private readonly releaseCursor: () => void;
  private lastFrame = Number.NEGATIVE_INFINITY;
  private pending: { readonly due: number; readonly cancel: () => void } | undefined;
  private closed = false;

  constructor(stream: TerminalStream, clock: Clock, reflows: boolean) {
    this.stream = stream;
    this.clock = clock;
    this.region = new LiveRegion(stream, reflows);
    stream.on("resize", this.frame);
    this.releaseCursor = guardCursor({
      restore: () => this.region.release(),
      resume: () => {
        this.region.restart();
        this.refresh();
      },
    });
  }

  layers(descriptors: readonly LayerDescriptor[]): void {
    // A layer may occur twice in an image; it has one line, as it is fetched once.
    for (const { digest, size } of descriptors) this.stateOf(digest, size);
    this.refresh();
  }

  event(event: LayerEvent): void {
    if (this.closed) return;
    const state = this.stateOf(event.digest, event.total);
    state.event = event;
    if (event.phase === "downloading") state.speed.record(this.clock.now(), event.current);
    this.refresh();
  }

  line(text: string): void {
    const shown = escapeControl(text);
    if (this.closed) this.stream.write(`${shown}\n`);
    else {
      const size = this.region.size;
      this.region.print(shown, this.lines(size), size);
    }
  }

  close(): void {
    if (this.closed) return;
    this.pending?.cancel();
    this.draw();
    this.closed = true;
    this.region.release();
    this.releaseCursor();
    this.stream.off("resize", this.frame);
  }

  private stateOf(digest: string, total: number): LayerState {
    const known = this.states.get(digest);
    if (known !== undefined) return known;
    const event = { phase: "waiting", current: 0, total } as const;
    const state = { id: shortId(digest), speed: new SpeedMeter(), event };
    this.states.set(digest, state);
    return state;
  }

  /** Draws as soon as the frame rate allows. */
  private readonly refresh = (): void => this.drawAt(this.lastFrame + FRAME_MS);

  private drawAt(due: number): void {
    if (this.closed || (this.pending !== undefined && this.pending.due <= due)) return;
    this.pending?.cancel();
    this.pending = undefined;
    const wait = due - this.clock.now();
    if (wait <= 0) this.frame();
    else this.pending = { due, cancel: this.clock.after(wait, this.frame) };
  }

  /** Also what a resize calls, at once: of sizes in between, the lines' places can't be told. */
  private readonly frame = (): void => {
    this.pending?.cancel();
    this.pending = undefined;
    this.lastFrame = this.clock.now();
    // A terminal that is slow gets fewer frames, not older ones.
    if (this.stream.writableNeedDrain !== true) this.draw();
    const states = this.states.values();
    if (states.some(({ event }) => event.phase === "downloading"))
      this.drawAt(this.lastFrame + IDLE_MS);
  };

  private draw(): void {
    const size = this.region.size;
    this.region.draw(this.lines(size), size);
  }

  private lines(size: TerminalSize): readonly string[] {
    const now = this.clock.now();
    const views = Array.from(this.states.values(), ({ id, event, speed }) => {
      const { phase, current, total } = event;
      const rate = phase === "downloading" ? speed.rate(now) : undefined;
      return { id, phase, current, total, speed: rate };
    });
    return layerFrame(views, size);
  }
}
