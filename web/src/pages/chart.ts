/** Line charts that wear the page's colours, in light and in dark, and say in words what they show. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

export interface Line {
  label: string;
  /** A custom property of the page's style sheet. */
  colour: string;
  width?: number;
  dots?: boolean;
  dash?: number[];
  fill?: boolean;
}

export interface ChartOptions {
  lines: Line[];
  /** Text on the y axis and in the legend. */
  format(value: number): string;
  formatX?: (value: number) => string;
  /** Text below the x axis. */
  labelX?: string;
  range?: (min: number, max: number) => [number, number];
}

export type Points = [x: number[], ...ys: (number | null)[][]];

export interface Chart {
  /** `summary` is what a screen reader says. */
  show(points: Points, summary: string): void;
}

/** A chart that fills `host` and follows its size and the colour scheme. */
export function createChart(host: HTMLElement, options: ChartOptions): Chart {
  let plot: uPlot | null = null;
  let latest: Points = [[], ...options.lines.map(() => [])];
  host.setAttribute("role", "img");

  const draw = () => {
    plot?.destroy();
    plot = new uPlot(optionsFor(host, options), latest, host);
  };
  new ResizeObserver(() => plot?.setSize(sizeOf(host))).observe(host);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();

  return {
    show(points, summary) {
      latest = points;
      plot?.setData(points);
      host.setAttribute("aria-label", summary);
      host.classList.toggle("empty", points[0].length === 0);
    },
  };
}

function sizeOf(host: HTMLElement): { width: number; height: number } {
  return { width: Math.max(host.clientWidth, 200), height: Math.max(host.clientHeight, 120) };
}

function optionsFor(host: HTMLElement, options: ChartOptions): uPlot.Options {
  const colour = (name: string) => getComputedStyle(host).getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour("--soft"),
    font: "12px system-ui, sans-serif",
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const { range } = options;
  return {
    ...sizeOf(host),
    padding: [10, 14, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 } },
    scales: {
      x: { time: false },
      y: range ? { range: (_, min, max) => range(min, max) } : {},
    },
    axes: [
      { ...axis, size: 28, ...axisX(options, axis) },
      { ...axis, size: 56, values: (_, ticks) => ticks.map((tick) => options.format(tick)) },
    ],
    series: [{}, ...options.lines.map((line) => seriesFor(line, colour))],
    plugins: [tooltip(options)],
  };
}

function axisX({ formatX, labelX }: ChartOptions, { font }: uPlot.Axis): uPlot.Axis {
  return {
    ...(formatX ? { values: (_, ticks) => ticks.map(formatX) } : {}),
    ...(labelX ? { label: labelX, labelSize: 18, labelFont: font! } : {}),
  };
}

function seriesFor(line: Line, colour: (name: string) => string): uPlot.Series {
  const stroke = colour(line.colour);
  return {
    label: line.label,
    stroke,
    width: line.width ?? 2,
    spanGaps: true,
    points: { show: line.dots ?? false, size: 5, fill: stroke },
    ...(line.dash ? { dash: line.dash } : {}),
    ...(line.fill ? { fill: `color-mix(in srgb, ${stroke} 12%, transparent)` } : {}),
  };
}

/** Values under the pointer, in a small box that never leaves the chart. */
function tooltip({ lines, format, formatX }: ChartOptions): uPlot.Plugin {
  const box = document.createElement("div");
  box.className = "tooltip";
  const place = (plot: uPlot) => {
    const { idx, left = -1 } = plot.cursor;
    box.hidden = idx === null || idx === undefined || left < 0;
    if (box.hidden) return;
    const x = plot.data[0][idx!]!;
    const values = lines.flatMap((line, i) => {
      const value = plot.data[i + 1]?.[idx!];
      return typeof value === "number" ? [`${line.label} ${format(value)}`] : [];
    });
    box.textContent = [formatX ? formatX(x) : String(x), ...values].join(" · ");
    const right = left > plot.over.clientWidth / 2;
    box.style.left = right ? "auto" : `${left + 12}px`;
    box.style.right = right ? `${plot.over.clientWidth - left + 12}px` : "auto";
  };
  return {
    hooks: {
      init: (plot) => plot.over.append(box),
      setCursor: place,
    },
  };
}
