import type { MeasureResults } from "../../results/results.ts";
import { formatValue } from "../format-value.ts";
import { axisStyle, drawChart, FONT } from "./draw-chart.ts";
import type { Palette } from "./palette.ts";

/** One measure over its parameter, both axes logarithmic, a line for each driver. */
export function lineChart(
  measures: readonly MeasureResults[],
  palette: Palette,
  width: number,
): string {
  const [first] = measures;
  const parameter = first?.parameter;
  if (first === undefined || parameter === undefined) return "";
  const values = measures.map((measure) => measure.parameter?.value ?? 0);
  const names = palette.names.filter((name) =>
    measures.some(({ places }) => places.some(({ place }) => place === name)),
  );
  const option = {
    grid: { left: 64, right: 18, top: 10, bottom: 40 },
    xAxis: {
      // Sizes and counts that were chosen, at equal distances: each a factor from the next.
      type: "category",
      data: values.map((value) =>
        parameter.unit === "bytes" ? formatValue(value, "bytes") : String(value),
      ),
      ...axisStyle(""),
      axisLabel: { ...FONT, fontSize: 11, hideOverlap: true },
      splitLine: { show: false },
    },
    yAxis: {
      type: "log",
      logBase: first.unit.startsWith("bytes") ? 2 : 10,
      ...axisStyle(""),
      axisLabel: {
        ...FONT,
        fontSize: 11,
        hideOverlap: true,
        formatter: (value: number) => formatValue(value, first.unit),
      },
    },
    series: names.map((name) => ({
      type: "line",
      silent: true,
      name,
      symbol: palette.symbol(name),
      symbolSize: 7,
      lineStyle: { color: palette.colour(name), width: 2 },
      itemStyle: { color: palette.colour(name) },
      connectNulls: true,
      data: measures.map(
        ({ places }) => places.find(({ place }) => place === name)?.summary.median || null,
      ),
    })),
  };
  return drawChart(option, width, Math.round(Math.min(280, width * 0.62)));
}
