import type { DriverFigures, DriverTiming } from "./driver-rounds.ts";
import { columns, mebibytes, median, milliseconds } from "./report.ts";

/** Three tables: a pull, an unpack, and what else there is to know of each driver. */
export function driverLines(
  title: string,
  results: ReadonlyMap<string, DriverFigures>,
): readonly string[] {
  const measured = [...results].filter(([, { pull }]) => pull.length > 0);
  const timings = (key: "pull" | "unpack") =>
    timingLines(new Map(measured.map(([name, figures]) => [name, figures[key]])));
  return [
    `\n${title}: pull from a loopback registry until it can be run`,
    ...timings("pull"),
    `\n${title}: the same with all blobs in the store`,
    ...timings("unpack"),
    `\n${title}: start of \`true\`, removal of the copy, what the copy takes`,
    ...columns([
      ["", "start", "min–max", "remove", "on disk", "inodes"],
      ...measured.map(([name, { start, remove, space }]) => [
        name,
        ...wallOf(start),
        milliseconds(median(remove.map(({ wallMs }) => wallMs))),
        space === undefined ? "–" : mebibytes(space.bytes / 1024),
        space?.inodes === undefined ? "–" : String(space.inodes),
      ]),
    ]),
  ];
}

/** Medians; the ratio is to the wall time of the first. */
function timingLines(timings: ReadonlyMap<string, readonly DriverTiming[]>): readonly string[] {
  const of = (each: readonly DriverTiming[], key: Exclude<keyof DriverTiming, "daemonMs">) =>
    median(each.map((timing) => timing[key]));
  const [first = []] = timings.values();
  const rows = [...timings].map(([name, each]) => {
    const daemon = each.flatMap(({ daemonMs }) => daemonMs ?? []);
    return [
      name,
      ...wallOf(each),
      milliseconds(of(each, "userMs")),
      milliseconds(of(each, "systemMs")),
      daemon.length === 0 ? "–" : milliseconds(median(daemon)),
      milliseconds(of(each, "elsewhereMs")),
      (of(each, "wallMs") / of(first, "wallMs")).toFixed(2),
    ];
  });
  const head = ["", "median", "min–max", "user", "system", "daemon", "elsewhere", "ratio"];
  return columns([head, ...rows]);
}

function wallOf(timings: readonly DriverTiming[]): readonly [median: string, range: string] {
  const wall = timings.map(({ wallMs }) => wallMs);
  const range = `${milliseconds(Math.min(...wall))}–${milliseconds(Math.max(...wall))}`;
  return [milliseconds(median(wall)), range];
}
