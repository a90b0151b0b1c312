import type { LayerEvent } from "../../image/events.ts";
import { formatSize } from "./size.ts";

/** A layer as the display sees it. */
export interface LayerView {
  /** Twelve digits of its digest. */
  readonly id: string;
  readonly phase: LayerEvent["phase"];
  readonly current: number;
  readonly total: number;
  /** Bytes a second, once known. */
  readonly speed: number | undefined;
}

const LABELS: Readonly<Record<LayerEvent["phase"], string>> = {
  waiting: "Waiting",
  downloading: "Downloading",
  unpacking: "Unpacking",
  stitching: "Stitching",
  done: "Pull complete",
  exists: "Already exists",
};

/** "Downloading", "999.9MB" and "/s" leave this much of a line to the bar. */
const LABEL_WIDTH = LABELS.downloading.length;
const SIZE_WIDTH = 6;
const SPEED_WIDTH = SIZE_WIDTH + 4;
const LEAST_BAR = 5;
const MOST_BAR = 50;

/**
 * One layer's line: ASCII, at most `columns - 1` wide, so that it never wraps. What doesn't
 * fit goes, first of the bar's length, then the bar, the speed and the numbers.
 */
export function layerLine(layer: LayerView, columns: number): string {
  const room = Math.max(0, columns - 1);
  return (variants(layer, room).find((line) => line.length <= room) ?? "").trimEnd();
}

/** The line from its fullest form to its shortest. */
function* variants(layer: LayerView, room: number): Generator<string> {
  const { id, phase, current, total, speed } = layer;
  const label = `${id}: ${LABELS[phase]}`;
  if ((phase === "downloading" || phase === "unpacking") && total > 0) {
    const aligned = `${id}: ${LABELS[phase].padEnd(LABEL_WIDTH)}`;
    const numbers = ` ${formatSize(current).padStart(SIZE_WIDTH)}/${formatSize(total)}`;
    const rate = speed === undefined ? "" : `  ${formatSize(speed)}/s`;
    const fixed = aligned.length + 1 + "[]".length + 2 * (1 + SIZE_WIDTH) + SPEED_WIDTH;
    const length = Math.min(MOST_BAR, room - fixed);
    // The speed's column starts at the same place on every line.
    const full = numbers.padEnd(2 * (1 + SIZE_WIDTH));
    if (length >= LEAST_BAR) yield `${aligned} ${bar(current / total, length)}${full}${rate}`;
    yield `${aligned}${full}${rate}`;
    yield `${aligned}${numbers}`;
    yield `${label} ${Math.floor(100 * clamp(current / total))}%`;
  }
  yield label;
  yield label.slice(0, room);
}

function bar(fraction: number, length: number): string {
  const filled = Math.floor(clamp(fraction) * length);
  if (filled === length) return `[${"=".repeat(length)}]`;
  return `[${`${"=".repeat(filled)}>`.padEnd(length)}]`;
}

function clamp(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}
