import { placeIn } from "../results/place-in.ts";
import type { MeasureResults, PlaceResults, Results, SuiteResults } from "../results/results.ts";
import { formatRatio, formatValue, measureLabel } from "./format-value.ts";

/** A terminal's width that the tables fit into. */
const WIDTH = 100;
const GAP = "  ";

export const LEGEND =
  "* best, or not told apart from it · ~ noisy: rounds vary by more than 5 % · × of the first driver";

/** Tables for a terminal: a line for each measure, a column for each driver. */
export function tableOf(results: Results): string {
  const places = results.places.map(({ name }) => name);
  return results.suites.map((suite) => suiteTable(suite, places)).join("\n");
}

function suiteTable(suite: SuiteResults, order: readonly string[]): string {
  const seen = new Set(suite.measures.flatMap(({ places }) => places.map(({ place }) => place)));
  const variants = [...seen].filter((name) => !order.includes(name));
  const columns = [...order.filter((name) => seen.has(name)), ...variants];
  const lines = suite.measures.flatMap(linesOf);
  const labels = lines.map(({ label }) => label);
  const labelWidth = Math.max(0, ...labels.map((label) => label.length));
  const cells = new Map(
    columns.map((column) => [column, [column, ...lines.map((line) => cellOf(line, column))]]),
  );
  const blocks = inBlocks(columns, cells, WIDTH - labelWidth);
  const tables = blocks.map((block) =>
    ["", ...labels].map((label, row) => {
      const line = block.map((column) => {
        const own = cells.get(column) ?? [];
        return (own[row] ?? "").padStart(widthOf(own));
      });
      return [label.padEnd(labelWidth), ...line].join(GAP).trimEnd();
    }),
  );
  const notes = suite.notes.map(({ place, text }) => `  ${place}: ${text}`);
  return [`${suite.name}: ${suite.question}`, ...tables.flat(), ...notes, ""].join("\n");
}

/** As many columns side by side as fit. */
function inBlocks(
  columns: readonly string[],
  cells: ReadonlyMap<string, readonly string[]>,
  room: number,
): readonly (readonly string[])[] {
  const blocks: string[][] = [];
  let left = -1;
  for (const column of columns) {
    const width = widthOf(cells.get(column) ?? []) + GAP.length;
    if (width > left) {
      blocks.push([]);
      left = room;
    }
    blocks.at(-1)?.push(column);
    left -= width;
  }
  return blocks;
}

/** One line of a table: a measure's medians, or what its slowest cases stay below. */
interface Line {
  readonly label: string;
  readonly measure: MeasureResults;
  readonly tail: boolean;
}

function linesOf(measure: MeasureResults): readonly Line[] {
  const median = { label: measureLabel(measure), measure, tail: false };
  return measure.tail === true ? [median, { label: "  p95", measure, tail: true }] : [median];
}

function cellOf({ measure, tail }: Line, column: string): string {
  const found = placeIn(measure, column);
  if (found === undefined) return "–";
  if (tail) return `${formatValue(found.summary.p95, measure.unit)}  `;
  return `${textOf(found, measure)}${marksOf(found)}`;
}

function textOf({ summary, comparison }: PlaceResults, { unit }: MeasureResults): string {
  const value = formatValue(summary.median, unit);
  return comparison === null ? value : `${value} ${formatRatio(comparison.ratio)}`;
}

/** Always as wide, so that figures stand below each other. */
function marksOf({ best, summary }: PlaceResults): string {
  return `${summary.noisy ? "~" : " "}${best ? "*" : " "}`;
}

function widthOf(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}
