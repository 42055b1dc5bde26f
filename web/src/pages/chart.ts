/** Line charts that wear the page's colours, in light and in dark, and say in words what they show. */

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { extentOf } from "./extent";
import { WHOLE_STEPS } from "./ticks";

const FONT_PX = 12;
const PICTURE_FONT_PX = 17;

export interface Line {
  label: string;
  /** A custom property of the page's style sheet. */
  colour: string;
  width?: number;
  dots?: boolean;
  dash?: number[];
  fill?: boolean;
  /** Holds each value until the next. */
  stepped?: boolean;
}

export type Range = readonly [from: number, to: number];

export interface ChartOptions {
  lines: Line[];
  /** Text on the y axis and in the legend. */
  format(value: number): string;
  formatX?: (value: number) => string;
  /** Text below the x axis. */
  labelX?: string;
  /** Of y, for lines that go so low and so high. */
  range: (min: number, max: number) => [number, number];
  /** Between which steps the ticks of the x axis choose; where absent, x counts. */
  stepsX?: () => number[];
  /** Told when a stretch of x was dragged over, or all is wanted again: null. Where absent, nothing can be zoomed. */
  onZoom?: (range: Range | null) => void;
}

export interface Size {
  width: number;
  height: number;
}

/** What of the x axis is seen, and where lines cross it. */
export interface View {
  x: Range;
  marks?: readonly number[];
}

export type Points = [x: number[], ...ys: (number | null)[][]];

export interface Chart {
  /** `summary` is what a screen reader says. Without a view all points are seen. */
  show(points: Points, summary: string, view?: View): void;
  /** What it shows, in another size; null while there is nothing to see. */
  picture(size: Size): Promise<HTMLCanvasElement | null>;
}

/** A chart that fills `host` and follows its size and the colour scheme, made in two portions with a pause between them. */
export async function createChart(host: HTMLElement, options: ChartOptions, pause: () => Promise<void>): Promise<Chart> {
  const chart = new PlottedChart(host, options);
  const drawFirst = chart.prepare();
  await pause();
  drawFirst();
  chart.follow();
  return chart;
}

class PlottedChart implements Chart {
  private plot!: uPlot;
  private points: Points;
  private view: View | undefined;

  constructor(
    private readonly host: HTMLElement,
    private readonly options: ChartOptions,
  ) {
    this.points = [[], ...options.lines.map(() => [])];
    host.setAttribute("role", "img");
  }

  /** Makes the plot; it shows nothing, and bears nothing else, before what this gives is called. */
  prepare(): () => void {
    let drawFirst!: () => void;
    this.plot = this.plotted(sizeOf(this.host), FONT_PX, (plot, draw) => {
      this.host.append(plot.root);
      drawFirst = draw as () => void;
    });
    return () => {
      drawFirst();
      this.look(this.plot);
    };
  }

  follow(): void {
    new ResizeObserver(() => this.plot.setSize(sizeOf(this.host))).observe(this.host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.plot.destroy();
      this.prepare()();
    });
  }

  show(points: Points, summary: string, view?: View): void {
    const { host, plot } = this;
    [this.points, this.view] = [points, view];
    plot.batch(() => {
      plot.setData(points, !view);
      this.look(plot);
    });
    if (host.getAttribute("aria-label") !== summary) host.setAttribute("aria-label", summary);
    host.classList.toggle("empty", points[0].length === 0);
  }

  async picture(size: Size): Promise<HTMLCanvasElement | null> {
    if (this.points[0].length === 0) return null;
    const made = this.plotted(size, PICTURE_FONT_PX, document.createElement("div"));
    this.look(made);
    // It draws itself when this function has come to its end.
    await new Promise(requestAnimationFrame);
    const { canvas } = made.ctx;
    made.destroy();
    return canvas;
  }

  private plotted(size: Size, fontPx: number, where: ConstructorParameters<typeof uPlot>[2]): uPlot {
    return new uPlot({ ...size, ...optionsFor(this.host, this.options, { marks: () => this.view?.marks ?? [], range: () => this.range() }, fontPx) }, this.points, where);
  }

  /** Of y. The library knows only the points in view, and its lines would leave it on their way to the next. */
  private range(): [number, number] {
    const [x, ...ys] = this.points;
    const stepped = this.options.lines.some((line) => line.stepped);
    const [low, high] = extentOf(x, ys, this.view?.x ?? [-Infinity, Infinity], stepped) ?? [0, 0];
    return this.options.range(low, high);
  }

  private look(plot: uPlot): void {
    if (this.view) plot.setScale("x", { min: this.view.x[0], max: this.view.x[1] });
  }
}

function sizeOf(host: HTMLElement): Size {
  return { width: Math.max(host.clientWidth, 200), height: Math.max(host.clientHeight, 120) };
}

interface Looked {
  marks(): readonly number[];
  range(): [number, number];
}

function optionsFor(host: HTMLElement, options: ChartOptions, { marks, range }: Looked, fontPx: number): Omit<uPlot.Options, keyof Size> {
  const colour = (name: string) => getComputedStyle(host).getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: colour("--soft"),
    font: `${fontPx}px system-ui, sans-serif`,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  const { onZoom } = options;
  return {
    padding: [10, 26, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 7 }, drag: { x: Boolean(onZoom), y: false, setScale: false }, ...wholeOnDoubleClick(onZoom) },
    scales: {
      x: { time: false },
      y: { range },
    },
    axes: [
      { ...axis, size: (28 * fontPx) / FONT_PX, space: 5 * fontPx, ...axisX(options, axis) },
      { ...axis, size: (56 * fontPx) / FONT_PX, values: (_, ticks) => ticks.map((tick) => options.format(tick)) },
    ],
    series: [{}, ...options.lines.map((line) => seriesFor(line, colour))],
    plugins: [tooltip(options), crossed(marks, () => colour("--soft")), ...(onZoom ? [dragged(onZoom)] : [])],
  };
}

function axisX({ formatX, labelX, stepsX }: ChartOptions, { font }: uPlot.Axis): uPlot.Axis {
  return {
    incrs: () => stepsX?.() ?? WHOLE_STEPS,
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
    points: { show: line.dots ? apart : false, size: 5, fill: stroke },
    ...(line.dash ? { dash: line.dash } : {}),
    ...(line.stepped ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
    ...(line.fill ? { fill: `color-mix(in srgb, ${stroke} 12%, transparent)` } : {}),
  };
}

/** Dots only where they do not run into each other. */
function apart(plot: uPlot, _: number, from: number, to: number): boolean {
  return to - from < plot.over.clientWidth / 12;
}

function wholeOnDoubleClick(onZoom: ChartOptions["onZoom"]): uPlot.Cursor {
  if (!onZoom) return {};
  const whole = () => {
    onZoom(null);
    return null;
  };
  return { bind: { dblclick: () => whole } };
}

/** Tells which stretch of x was dragged over. */
function dragged(onZoom: NonNullable<ChartOptions["onZoom"]>): uPlot.Plugin {
  const setSelect = (plot: uPlot) => {
    const { left, width } = plot.select;
    if (width > 0) onZoom([plot.posToVal(left, "x"), plot.posToVal(left + width, "x")]);
    plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
  };
  return { hooks: { setSelect } };
}

/** Dashed lines across the chart. */
function crossed(marks: () => readonly number[], colour: () => string): uPlot.Plugin {
  const draw = ({ ctx, bbox, scales, valToPos }: uPlot) => {
    const { min = null, max = null } = scales["x"] ?? {};
    ctx.save();
    ctx.strokeStyle = colour();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const x of marks()) {
      if (min === null || max === null || x < min || x > max) continue;
      const left = Math.round(valToPos(x, "x", true));
      ctx.beginPath();
      ctx.moveTo(left, bbox.top);
      ctx.lineTo(left, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  };
  return { hooks: { draw } };
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
