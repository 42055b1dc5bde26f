/** The watcher's charts: what they show, on which scale, and how close. */

import type { Story } from "../index";
import type { Chart, Points, Range } from "./chart";
import { element, write } from "./dom";
import { count, figure, moment, percent } from "./format";
import { createChartLater } from "./later_chart";
import { PANEL_CHART, type Panel } from "./picture";
import { Series, type Scale } from "./series";
import { stalenessBars, type Bar } from "./summary";
import { Zoom } from "./zoom";

type Name = "accuracy" | "loss" | "rate" | "crowd";

const KEYS: Record<string, string> = { "+": "in", "=": "in", "-": "out", ArrowLeft: "earlier", ArrowRight: "later", "0": "all" };

export class WatchCharts {
  private readonly zoom = new Zoom();
  private readonly charts: Record<Name, Chart>;
  private series: Series | null = null;
  private story: Story | null = null;
  /** Seen by this page, where the story has none. */
  private readonly crowd: [at: number, clients: number][] = [];
  private bars: Bar[] = [];

  constructor() {
    const common = { formatX: (x: number) => this.formatX(x), stepsX: () => this.zoom.steps, onZoom: (to: Range | null) => this.look(() => this.zoom.choose(to)) };
    this.charts = {
      accuracy: createChartLater(element("accuracy-chart"), {
        ...common,
        lines: [
          { label: "accuracy", colour: "--accent", dots: true, fill: true },
          { label: "goal", colour: "--soft", width: 1, dash: [4, 4] },
        ],
        format: (value) => `${figure(100 * value)} %`,
        range: aroundAccuracies,
      }),
      loss: createChartLater(element("loss-chart"), {
        ...common,
        lines: [{ label: "loss", colour: "--accent-2", dots: true, fill: true }],
        format: figure,
        range: (_, max) => [0, Math.max(max, 1e-6) * 1.05],
      }),
      rate: createChartLater(element("rate-chart"), { ...common, lines: [{ label: "updates/s", colour: "--accent", fill: true }], format: figure, range: fromNought }),
      crowd: createChartLater(element("crowd-chart"), {
        ...common,
        lines: [{ label: "machines", colour: "--accent-2", fill: true, stepped: true }],
        format: (value) => (Number.isInteger(value) ? count(value) : ""),
        range: fromNought,
      }),
    };
    this.listen();
  }

  show(story: Story, target: number | null): void {
    this.story = story;
    this.series = Series.of(story, target, this.series);
    if (story.crowd.length === 0) this.crowd.push([story.at, story.clients]);
    this.draw();
    this.showBars(story.totals.staleness);
  }

  /** What the picture is made of. */
  async panels(): Promise<Panel[]> {
    const titles: Record<Name, string> = { accuracy: "Accuracy", loss: "Loss", rate: "Updates per second", crowd: "Machines" };
    const names = Object.keys(titles) as Name[];
    const panels = names.map(async (name) => ({ title: titles[name], chart: await this.charts[name].picture(PANEL_CHART) }));
    return [...(await Promise.all(panels)), { title: "Staleness of updates, in versions", chart: this.bars }];
  }

  /** What of the x axis is seen. */
  get range(): string {
    return this.zoom.words;
  }

  private formatX(x: number): string {
    return this.zoom.scale === "version" ? count(x) : moment(x);
  }

  private listen(): void {
    const section = element("charts");
    for (const button of section.querySelectorAll<HTMLButtonElement>("button[data-zoom]")) {
      button.addEventListener("click", () => this.steer(button.dataset["zoom"]!));
    }
    for (const button of section.querySelectorAll<HTMLButtonElement>("button[data-scale]")) {
      button.addEventListener("click", () => this.rescale(button.dataset["scale"] as Scale));
    }
    section.addEventListener("keydown", (event) => {
      const to = KEYS[event.key];
      if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      this.steer(to);
    });
  }

  private steer(to: string): void {
    this.look(() => {
      if (to === "in" || to === "out") this.zoom.resize(to);
      else if (to === "earlier" || to === "later") this.zoom.move(to);
      else this.zoom.choose(null);
    });
  }

  private rescale(scale: Scale): void {
    const { series, zoom } = this;
    if (!series || scale === zoom.scale) return;
    const convert = (x: number) => (scale === "version" ? series.versionAt(series.began + 1000 * x) : series.secondsOf(x));
    this.look(() => zoom.rescale(scale, convert, series.end(scale)));
    for (const button of document.querySelectorAll("[data-scale]")) {
      button.setAttribute("aria-pressed", String((button as HTMLElement).dataset["scale"] === scale));
    }
  }

  private look(change: () => void): void {
    change();
    if (this.series) this.draw();
  }

  private draw(): void {
    const { series, zoom } = this;
    if (!series) return;
    const view = { x: zoom.over(series.end(zoom.scale)), marks: series.marks[zoom.scale] };
    const shown = this.points(series);
    for (const name of Object.keys(shown) as Name[]) this.charts[name].show(...shown[name], view);
    write("range", zoom.words);
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-zoom]")) {
      button.disabled = zoom.whole && button.dataset["zoom"] !== "in";
    }
  }

  private points(series: Series): Record<Name, [Points, summary: string]> {
    const { scale } = this.zoom;
    const [x, { accuracy, loss, goal }] = [series.evaluated[scale], series];
    const version = series.evaluated.version.at(-1);
    const at = version === undefined ? "No evaluation yet" : `at version ${count(version)}`;
    const told = (name: string, value: number | null | undefined, format: (value: number) => string) =>
      typeof value === "number" ? `${name} ${format(value)} ${at}` : at;
    const rates = series.rates.columns(scale);
    const crowd = this.crowdOf(series);
    const machines = crowd[1].at(-1) ?? 0;
    return {
      accuracy: [[x, accuracy, goal], told("Accuracy", accuracy.at(-1), percent)],
      loss: [[x, loss], told("Loss", loss.at(-1), figure)],
      rate: [rates, `${figure(rates[1].at(-1) ?? 0)} updates per second lately`],
      crowd: [crowd, `${count(machines)} ${machines === 1 ? "machine" : "machines"} lately`],
    };
  }

  private crowdOf(series: Series): [number[], number[]] {
    const { crowd, at, clients } = this.story!;
    const known = crowd.length > 0 ? [...crowd, [at, clients] as const] : this.crowd;
    const within = known.filter(([moment]) => moment >= series.began);
    const x = within.map(([moment]) => (this.zoom.scale === "version" ? series.versionAt(moment) : series.secondsAt(moment)));
    return [x, within.map(([, machines]) => machines)];
  }

  private showBars(staleness: readonly number[]): void {
    if (staleness.length === 0) return;
    this.bars = stalenessBars(staleness);
    const most = Math.max(1, ...this.bars.map(({ updates }) => updates));
    const host = element("staleness-chart");
    while (host.children.length < this.bars.length) host.append(Object.assign(document.createElement("div"), { className: "bar" }));
    while (host.children.length > this.bars.length) host.lastElementChild!.remove();
    this.bars.forEach(({ label, updates }, i) => {
      const bar = host.children[i] as HTMLElement;
      bar.style.setProperty("--share", String(updates / most));
      bar.dataset["label"] = label;
      bar.dataset["updates"] = updates > 0 ? count(updates) : "";
    });
    host.setAttribute("aria-label", this.bars.map(({ label, updates }) => `staleness ${label}: ${updates} updates`).join(", "));
  }
}

function aroundAccuracies(min: number): [number, number] {
  return [Math.max(0, Math.min(min, 0.9) - 0.05), 1];
}

function fromNought(_: number, max: number): [number, number] {
  return [0, Math.max(max, 1) * 1.1];
}
