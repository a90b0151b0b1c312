import type { MeasureResults, Results } from "../../results/results.ts";
import { formatRatio, measureLabel } from "../format-value.ts";
import { drawChart, FONT } from "./draw-chart.ts";
import type { Palette } from "./palette.ts";

const ROW = 26;
const NARROW_ROW = 32;
/** From here on a cell is as dark as it gets: a factor of a hundred. */
const DARKEST = 2;

/**
 * Drivers against kinds of work: how many times as much as the best one each takes.
 * Undefined when there is nothing that several drivers were measured in.
 */
export function heatMap(results: Results, palette: Palette, width: number): string | undefined {
  const rows = rowsOf(results);
  if (rows.length === 0) return undefined;
  const columns = palette.names.filter((name) => rows.some(({ factors }) => factors.has(name)));
  const narrow = width < 500;
  const labelWidth = narrow ? 112 : 230;
  const cells = rows.flatMap(({ factors }, row) =>
    columns.flatMap((name, column) => {
      const factor = factors.get(name);
      if (factor === undefined) return [];
      const depth = Math.min(1, Math.log10(Math.max(1, factor)) / DARKEST);
      const share = Math.round(depth * 100);
      return {
        value: [column, row, factor],
        itemStyle: {
          color: `color-mix(in oklab, var(--hot) ${share}%, var(--cool))`,
          borderColor: "var(--paper)",
          borderWidth: 2,
        },
        label: { color: depth > 0.75 ? "var(--on-hot)" : "var(--ink)" },
      };
    }),
  );
  const axis = { type: "category", axisLine: { show: false }, axisTick: { show: false } };
  const option = {
    grid: { left: labelWidth + 8, right: 6, top: narrow ? 88 : 28, bottom: 4 },
    xAxis: {
      ...axis,
      position: "top",
      data: columns,
      axisLabel: { ...FONT, interval: 0, rotate: narrow ? 60 : 0, fontSize: 11 },
    },
    yAxis: {
      ...axis,
      inverse: true,
      data: rows.map(({ label }) => label),
      // Wrapped early: the width of letters is an estimate here.
      axisLabel: {
        ...FONT,
        width: labelWidth * 0.8,
        overflow: "break",
        fontSize: narrow ? 10 : 11,
      },
    },
    visualMap: { show: false, min: 0, max: 1, inRange: { color: ["#888888", "#888888"] } },
    series: [
      {
        type: "heatmap",
        silent: true,
        label: {
          show: true,
          fontFamily: "inherit",
          fontSize: narrow ? 9 : 11,
          formatter: ({ value }: { value: number[] }) => shortFactor(value[2] ?? Number.NaN),
        },
        data: cells,
      },
    ],
  };
  return drawChart(option, width, narrow ? rows.length * NARROW_ROW + 92 : rows.length * ROW + 32);
}

function shortFactor(factor: number): string {
  return factor < 1000 ? formatRatio(factor) : `${Math.round(factor / 100) / 10}k×`;
}

interface Row {
  readonly label: string;
  readonly factors: ReadonlyMap<string, number>;
}

/** What verdicts rest on, each measure once. */
function rowsOf({ suites, verdicts }: Results): readonly Row[] {
  const wanted = new Set(
    verdicts.flatMap(({ basis }) =>
      basis.map(({ suite, measure, parameter }) => keyOf(suite, measure, parameter)),
    ),
  );
  return suites.flatMap((suite) =>
    suite.measures
      .filter(({ name, parameter }) =>
        wanted.has(keyOf(suite.name, name, parameter?.value ?? null)),
      )
      .map((measure) => ({ label: measureLabel(measure), factors: factorsOf(measure) })),
  );
}

function keyOf(suite: string, measure: string, parameter: number | null): string {
  return `${suite}\n${measure}\n${parameter}`;
}

function factorsOf({ places, better }: MeasureResults): ReadonlyMap<string, number> {
  const medians = places.map(({ summary }) => summary.median);
  const best = better === "less" ? Math.min(...medians) : Math.max(...medians);
  return new Map(
    places.map(({ place, summary }) => [
      place,
      better === "less" ? summary.median / best : best / summary.median,
    ]),
  );
}
