import { TsimgError } from "../sys/error.ts";

/** A point in time relative to the host's clock, as the runtime spec writes it. */
export interface TimeOffset {
  readonly secs: number;
  /** 0 to 999999999, counted forward from `secs` even where that is negative. */
  readonly nanosecs: number;
}

/** For `linux.timeOffsets`. */
export type TimeOffsets = Readonly<Partial<Record<"monotonic" | "boottime", TimeOffset>>>;

/** Seconds; the kernel takes no more (KTIME_SEC_MAX / 2). */
const MOST_SECONDS = 4_611_686_018;

/**
 * Reads `--time monotonic=SECONDS,boottime=SECONDS`: how far a new time namespace's clocks are
 * ahead of the host's. Below zero is behind, which the kernel takes down to the host's boot.
 *
 * @throws TsimgError ERR_USAGE
 */
export function parseTimeOffsets(text: string): TimeOffsets {
  const offsets: { monotonic?: TimeOffset; boottime?: TimeOffset } = {};
  for (const part of text.split(",")) {
    const [, clock, sign, seconds, fraction = ""] =
      /^(\w+)=([+-]?)(\d{1,10})(?:\.(\d{1,9}))?$/.exec(part.trim()) ?? [];
    if ((clock !== "monotonic" && clock !== "boottime") || seconds === undefined) {
      throw badTime(text, `"${part.slice(0, 64)}" is not a clock and its offset`);
    }
    if (offsets[clock] !== undefined) throw badTime(text, `${clock} is given twice`);
    const nanosecs = Number(fraction.padEnd(9, "0"));
    if (Number(seconds) >= MOST_SECONDS) throw badTime(text, "no clock goes that far");
    offsets[clock] =
      sign === "-" ? behind(Number(seconds), nanosecs) : { secs: Number(seconds), nanosecs };
  }
  return offsets;
}

function behind(seconds: number, nanosecs: number): TimeOffset {
  if (nanosecs === 0) return { secs: 0 - seconds, nanosecs };
  return { secs: -seconds - 1, nanosecs: 1_000_000_000 - nanosecs };
}

function badTime(text: string, what: string): TsimgError {
  return new TsimgError("ERR_USAGE", `invalid --time "${text.slice(0, 128)}": ${what}`, {
    hint: "as in --time monotonic=86400,boottime=-3600: seconds, to a ninth decimal",
  });
}
