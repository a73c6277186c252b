// ECharts, only the parts used, and the few things every chart of the report has in common: theme,
// resizing, keyboard-free alternatives (each chart stands above a table with the same numbers).

import { BarChart, LineChart, ScatterChart } from "echarts/charts";
import {
  AriaComponent,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  TooltipComponent,
} from "echarts/components";
import * as echarts from "echarts/core";
import type { EChartsCoreOption } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { h } from "./dom";
import { isDark, patterns } from "./theme";

echarts.use([
  BarChart, LineChart, ScatterChart, AriaComponent, DataZoomComponent, GridComponent, LegendComponent,
  TooltipComponent, CanvasRenderer,
]);

type Made = () => EChartsCoreOption;
interface Live {
  chart: echarts.ECharts;
  label: string;
  option: Made;
  observer: ResizeObserver;
}
let live: Live[] = [];

const font = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export function inks() {
  return isDark()
    ? { text: "#e4e7ea", muted: "#9aa5b1", line: "#39414a", grid: "#262c33", surface: "#1b2026" }
    : { text: "#1b2026", muted: "#5a6570", line: "#c9ced4", grid: "#eceef0", surface: "#ffffff" };
}

function dressed(option: EChartsCoreOption, label: string): EChartsCoreOption {
  const ink = inks();
  return {
    animation: false,
    textStyle: { fontFamily: font, color: ink.text },
    aria: { enabled: true, label: { description: label }, decal: { show: patterns() } },
    ...option,
    tooltip: {
      backgroundColor: ink.surface,
      borderColor: ink.line,
      textStyle: { color: ink.text, fontSize: 12, fontFamily: font },
      confine: true,
      ...(option["tooltip"] as object),
    },
  };
}

/** A chart of `height` pixels. `option` is asked again when the theme changes. */
export function chart(
  height: number,
  label: string,
  option: Made,
  onClick?: (params: { dataIndex: number; seriesIndex: number; data: unknown }) => void,
): HTMLElement {
  const box = h("div", { class: "chart", style: `height:${height}px`, role: "img", "aria-label": label });
  // The element has no size before it is in the page.
  requestAnimationFrame(() => {
    if (!box.isConnected) {
      return;
    }
    const made = echarts.init(box, null, { renderer: "canvas" });
    made.setOption(dressed(option(), label));
    if (onClick) {
      made.on("click", (params) => onClick(params as never));
    }
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(box);
    live.push({ chart: made, label, option, observer });
  });
  return box;
}

export function redrawCharts(): void {
  for (const item of live) {
    item.chart.setOption(dressed(item.option(), item.label), true);
  }
}

export function dropCharts(): void {
  for (const item of live) {
    item.observer.disconnect();
    item.chart.dispose();
  }
  live = [];
}

/** Axis style shared by all charts. */
export function axis(extra: object): object {
  const ink = inks();
  return {
    axisLine: { lineStyle: { color: ink.line } },
    axisTick: { show: false },
    axisLabel: { color: ink.muted, fontSize: 11 },
    splitLine: { lineStyle: { color: ink.grid } },
    nameTextStyle: { color: ink.muted, fontSize: 11 },
    ...extra,
  };
}

export function legend(extra: object = {}): object {
  const ink = inks();
  return {
    type: "scroll",
    top: 0,
    left: 0,
    icon: "roundRect",
    itemWidth: 12,
    itemHeight: 10,
    textStyle: { color: ink.text, fontSize: 12 },
    pageTextStyle: { color: ink.muted },
    pageIconColor: ink.text,
    pageIconInactiveColor: ink.line,
    ...extra,
  };
}

/** Zoom with the wheel and a bar when there are too many operators to see them one by one. */
export function zoom(items: number): object[] {
  if (items <= 40) {
    return [];
  }
  const ink = inks();
  return [
    { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false },
    {
      type: "slider",
      height: 18,
      bottom: 6,
      borderColor: ink.line,
      fillerColor: "rgba(86,180,233,0.25)",
      handleSize: "120%",
      brushSelect: false,
      showDetail: false,
      dataBackground: { lineStyle: { color: ink.line }, areaStyle: { color: ink.grid } },
    },
  ];
}
