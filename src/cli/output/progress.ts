import type { LayerEvent } from "../../image/events.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { TerminalStream } from "./live-region.ts";
import { PlainProgress } from "./plain-progress.ts";
import { TerminalProgress } from "./terminal-progress.ts";

export interface LayerDescriptor {
  readonly digest: string;
  /** Bytes of the blob. */
  readonly size: number;
}

/**
 * What a pull tells its user. `layers` comes once, before any event, in the image's order;
 * `close` leaves the last state standing and may be called more than once.
 */
export interface PullProgress {
  layers(descriptors: readonly LayerDescriptor[]): void;
  event(event: LayerEvent): void;
  /** Prints a line that stays, above the layers. */
  line(text: string): void;
  close(): void;
}

export interface PullProgressOptions {
  /** Shows nothing at all. */
  readonly quiet?: boolean;
  readonly clock?: Clock;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * On a terminal one line a layer, with bar and speed; elsewhere one line a step. A terminal's
 * cursor is hidden until `close`, the end of the process or a signal.
 */
export function createPullProgress(
  stream: TerminalStream,
  { quiet = false, clock = systemClock, env = process.env }: PullProgressOptions = {},
): PullProgress {
  if (quiet) return { layers() {}, event() {}, line() {}, close() {} };
  if (stream.isTTY !== true || env["TERM"] === "dumb") return new PlainProgress(stream);
  return new TerminalProgress(stream, clock, reflowsLines(env));
}

/** Of today's terminals only xterm itself, the console and GNU screen cut lines when narrowed. */
function reflowsLines(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env["TMUX"] !== undefined) return true;
  return env["XTERM_VERSION"] === undefined && env["STY"] === undefined && env["TERM"] !== "linux";
}
