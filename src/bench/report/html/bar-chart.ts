import { placeIn } from "../../results/place-in.ts";
import type { MeasureResults } from "../../results/results.ts";
import { formatValue } from "../format-value.ts";
import { axisStyle, drawChart, FONT, INK } from "./draw-chart.ts";
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
  const narrow = width < 500;
  const labelWidth = narrow ? 100 : 190;
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
      // Wrapped early: the width of letters is an estimate here.
      axisLabel: {
        ...FONT,
        width: labelWidth * 0.8,
        overflow: "break",
        fontSize: narrow ? 11 : 12,
      },
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
  const rows = measures.flatMap((measure, row) => {
    const found = placeIn(measure, name);
    if (found === undefined || !(found.summary.median > 0)) return [];
    const { low, median, high } = found.summary;
    const label = formatValue(median, measure.unit);
    return [{ value: [low > 0 ? low : median, row, high], label }];
  });
  return {
    type: "custom",
    silent: true,
    z: 5,
    data: rows.map(({ value }) => value),
    encode: { x: [0, 2], y: 1 },
    renderItem(params: { dataIndex: number }, api: ChartCoordinates) {
      const [left = 0, y = 0] = api.coord([api.value(0), api.value(1)]);
      const [right = 0] = api.coord([api.value(2), api.value(1)]);
      const at = y + lane * BAR;
      const ends = [left, right].map((x) => `M${x},${at - 3}V${at + 3}`).join("");
      const text = rows[params.dataIndex]?.label ?? "";
      return {
        type: "group",
        children: [
          {
            type: "path",
            shape: { pathData: `${ends}M${left},${at}H${right}` },
            style: { stroke: INK, lineWidth: 1, fill: "none" },
          },
          {
            type: "text",
            style: { text, x: right + 5, y: at, fill: INK, fontSize: 10, verticalAlign: "middle" },
          },
        ],
      };
    },
  };
}

interface ChartCoordinates {
  value(at: number): number;
  coord(at: readonly number[]): readonly number[];
}
