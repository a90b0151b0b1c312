import { BarChart, CustomChart, HeatmapChart, LineChart } from "echarts/charts";
import { GridComponent, VisualMapComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([
  BarChart,
  CustomChart,
  HeatmapChart,
  LineChart,
  GridComponent,
  VisualMapComponent,
  SVGRenderer,
]);

/** Colours are the page's, so that a chart follows it from light to dark. */
export const INK = "var(--ink)";
export const FAINT = "var(--faint)";
export const RULE = "var(--rule)";

export const FONT = { fontFamily: "inherit", fontSize: 12, color: INK } as const;

/** @returns an SVG element that scales to the width of what it stands in */
export function drawChart(option: EChartsCoreOption, width: number, height: number): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    chart.setOption({ animation: false, backgroundColor: "transparent", ...option });
    return chart
      .renderToSVGString({ useViewBox: true })
      .replace(/^<svg width="[^"]*" height="[^"]*"/, "<svg");
  } finally {
    chart.dispose();
  }
}

export function axisStyle(title: string) {
  return {
    name: title,
    nameTextStyle: { ...FONT, color: FAINT },
    axisLine: { lineStyle: { color: RULE } },
    axisTick: { lineStyle: { color: RULE } },
    minorTick: { show: false },
    axisLabel: FONT,
    splitLine: { lineStyle: { color: RULE, width: 0.5 } },
  };
}
