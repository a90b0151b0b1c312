import type { MeasureResults } from "../../results/results.ts";
import { formatValue } from "../format-value.ts";
import { axisStyle, drawChart, FONT } from "./draw-chart.ts";
import type { Palette } from "./palette.ts";

const BAR = 14;
const GROUP_GAP = 18;

/**
 * Bars that lie, a group for each measure, with a whisker from the lowest to the highest value
 * that the median may have. The axis is logarithmic: a step to the right is a factor.
 */
export function barChart(
  measures: readonly MeasureResults[],
  palette: Palette,
  width: number,
): string {
  const names = palette.names.filter((name) => measures.some((it) => placeIn(it, name)));
  const unit = measures[0]?.unit ?? "seconds";
  const height = measures.length * (names.length * BAR + GROUP_GAP) + 60;
  const labelWidth = width < 500 ? 110 : 190;
  const option = {
    grid: { left: labelWidth + 10, right: 70, top: 8, bottom: 34 },
    xAxis: {
      ...logAxis(measures),
      ...axisStyle(""),
      axisLabel: {
        ...FONT,
        hideOverlap: true,
        formatter: (value: number) => formatValue(value, unit),
      },
    },
    yAxis: {
      type: "category",
      inverse: true,
      ...axisStyle(""),
      data: measures.map(({ name }) => name),
      axisLabel: { ...FONT, width: labelWidth, overflow: "break" },
      splitLine: { show: false },
    },
    series: names.flatMap((name, number) => [
      {
        type: "bar",
        silent: true,
        name,
        barWidth: BAR - 3,
        barGap: `${(3 / (BAR - 3)) * 100}%`,
        itemStyle: { color: palette.colour(name) },
        label: {
          show: true,
          position: "right",
          ...FONT,
          fontSize: 10,
          distance: 4,
          formatter: ({ dataIndex }: { dataIndex: number }) => labelOf(measures[dataIndex], name),
        },
        data: measures.map((measure) => placeIn(measure, name)?.summary.median || null),
      },
      whiskers(measures, name, number - (names.length - 1) / 2),
    ]),
  };
  return drawChart(option, width, height);
}

/** Bars begin at its left end: on a logarithmic axis there is no zero. */
function logAxis(measures: readonly MeasureResults[]) {
  const values = measures.flatMap(({ places }) =>
    places.map(({ summary }) => Math.min(summary.low || summary.median, summary.median)),
  );
  const smallest = Math.min(...values.filter((value) => value > 0));
  const logBase = measures[0]?.unit.startsWith("bytes") ? 2 : 10;
  const min = logBase ** (Math.ceil(Math.log(smallest) / Math.log(logBase)) - 1);
  return { type: "log", logBase, min, startValue: min };
}

/** @param lane how many bars below the group's middle */
function whiskers(measures: readonly MeasureResults[], name: string, lane: number) {
  return {
    type: "custom",
    silent: true,
    z: 5,
    data: measures.flatMap((measure, row) => {
      const found = placeIn(measure, name);
      if (found === undefined || !(found.summary.low > 0)) return [];
      return [[found.summary.low, row, found.summary.high]];
    }),
    encode: { x: [0, 2], y: 1 },
    renderItem(_: unknown, api: { value(at: number): number; coord(at: number[]): number[] }) {
      const row = api.value(1);
      const [left = 0, y = 0] = api.coord([api.value(0), row]);
      const [right = 0] = api.coord([api.value(2), row]);
      const at = y + lane * BAR;
      return {
        type: "path",
        shape: {
          pathData: `M${left},${at - 3}V${at + 3}M${left},${at}H${right}M${right},${at - 3}V${at + 3}`,
        },
        style: { stroke: "var(--ink)", lineWidth: 1, fill: "none" },
      };
    },
  };
}

function labelOf(measure: MeasureResults | undefined, name: string): string {
  const found = measure === undefined ? undefined : placeIn(measure, name);
  if (found === undefined || measure === undefined) return "";
  return formatValue(found.summary.median, measure.unit);
}

function placeIn(measure: MeasureResults, name: string) {
  return measure.places.find(({ place }) => place === name);
}
