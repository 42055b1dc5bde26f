/** The watcher page: a run, live. */

import { systemClock } from "../clock";
import type { Move } from "../live";
import type { Run } from "../protocol";
import { createChart, type Chart } from "./chart";
import { element, write } from "./dom";
import { follow, type Story } from "../follow";
import { bytes, count, duration, figure, percent } from "./format";
import { openSite, reporting, showSearch } from "./site";
import { currentRate, meanOf, ratesOverTime, stalenessBars } from "./summary";

import "./style.css";

const ROWS = 15;
/** Columns that a narrow screen has no room for. */
const WIDE = new Set([3, 4, 5]);

interface Charts {
  accuracy: Chart;
  loss: Chart;
  rate: Chart;
}

function createCharts(): Charts {
  const formatX = count;
  return {
    accuracy: createChart(element("accuracy-chart"), {
      lines: [
        { label: "accuracy", colour: "--accent", dots: true, fill: true },
        { label: "goal", colour: "--soft", width: 1, dash: [4, 4] },
      ],
      format: (value) => `${figure(100 * value)} %`,
      formatX,
      range: (min) => [Math.max(0, Math.min(min, 0.9) - 0.05), 1],
    }),
    loss: createChart(element("loss-chart"), {
      lines: [{ label: "loss", colour: "--accent-2", dots: true, fill: true }],
      format: figure,
      formatX,
      range: (_, max) => [0, Math.max(max, 0.1) * 1.05],
    }),
    rate: createChart(element("rate-chart"), {
      lines: [{ label: "updates/s", colour: "--accent", fill: true }],
      format: figure,
      formatX: duration,
      range: (_, max) => [0, Math.max(max, 1) * 1.1],
    }),
  };
}

function showRun({ run, title, description, end }: Run): void {
  write("trouble", "");
  document.title = `${title} · WebNN`;
  write("title", title);
  write("description", description);
  (element("join") as HTMLAnchorElement).href = `index.html?run=${encodeURIComponent(run)}`;
  (element("try") as HTMLAnchorElement).href = `try.html?run=${encodeURIComponent(run)}`;
  if (end.accuracy !== null) write("goal", `of ${figure(100 * end.accuracy)} % wanted`);
}

function showTiles({ moves, evaluations, head, clients, status, totals }: Story): void {
  const { updates, examples, bytes: received } = totals;
  const staleness = meanOf(totals.staleness);
  const latest = evaluations.at(-1);
  const state = { running: "Running now", paused: "Paused by its owner", finished: "Finished" }[status];
  document.body.dataset["mode"] = status === "running" ? "running" : "idle";
  write("state", state);
  write("accuracy", percentOf(latest?.accuracy));
  write("version", count(head.version));
  write("steps", `after ${count(head.steps)} steps`);
  write("clients", count(clients));
  write("rate", figure(currentRate(moves, Date.now())));
  write("staleness", staleness === null ? "–" : figure(staleness));
  write("bytes", bytes(received));
  write("examples", `${count(updates)} updates, ${count(examples)} examples`);
}

function showCharts(charts: Charts, { moves, evaluations }: Story, target: number | null): void {
  const versions = evaluations.map(({ version }) => version);
  const latest = evaluations.at(-1);
  const goal = evaluations.map(() => target);
  const words = (value: string) => (latest ? `${value} at version ${latest.version}` : "No evaluation yet");
  charts.accuracy.show(
    [versions, evaluations.map(({ accuracy }) => accuracy), goal],
    words(`Accuracy ${percent(latest?.accuracy ?? 0)}`),
  );
  charts.loss.show([versions, evaluations.map(({ loss }) => loss)], words(`Loss ${figure(latest?.loss ?? 0)}`));
  const [seconds, rates] = ratesOverTime(moves);
  charts.rate.show([seconds, rates], `${figure(rates.at(-1) ?? 0)} updates per second lately`);
}

function showBars({ updates, staleness }: Story["totals"]): void {
  if (updates === 0) return;
  const bars = stalenessBars(staleness);
  const most = Math.max(1, ...bars.map(({ updates }) => updates));
  const host = element("staleness-chart");
  host.replaceChildren(
    ...bars.map(({ label, updates }) => {
      const bar = document.createElement("div");
      bar.className = "bar";
      bar.style.setProperty("--share", String(updates / most));
      bar.dataset["label"] = label;
      bar.dataset["updates"] = updates > 0 ? count(updates) : "";
      return bar;
    }),
  );
  host.setAttribute("aria-label", bars.map(({ label, updates }) => `staleness ${label}: ${updates} updates`).join(", "));
}

function showHistory({ moves, evaluations }: Story): void {
  const accuracies = new Map(evaluations.map(({ version, accuracy }) => [version, accuracy]));
  const newest = moves.slice(-ROWS).reverse();
  element("history").replaceChildren(...newest.map((move) => rowOf(move, accuracies.get(move.version))));
  const hidden = moves.length - newest.length;
  write("history-note", hidden > 0 ? `The newest ${ROWS} of ${count(moves.length)} rows.` : "");
}

function rowOf(move: Move, accuracy: number | null | undefined): HTMLTableRowElement {
  const { version, at, updates, staleness, discount, examples, bytes: size } = move;
  const row = document.createElement("tr");
  const cells = [
    count(version),
    new Date(at).toLocaleTimeString("en-GB"),
    count(updates),
    count(examples),
    bytes(size),
    staleness ? span(staleness) : "–",
    percentOf(discount),
    accuracy === undefined ? "" : percentOf(accuracy),
  ];
  cells.forEach((text, column) => {
    const cell = row.insertCell();
    cell.textContent = text;
    if (WIDE.has(column)) cell.className = "wide";
  });
  return row;
}

/** A dash where there is none, or it is no number. */
function percentOf(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined ? "–" : percent(fraction);
}

function span([low, high]: readonly [number, number]): string {
  return low === high ? String(low) : `${low}–${high}`;
}

async function main(): Promise<void> {
  const wanted = new URLSearchParams(location.search).get("run");
  const { api, run } = await openSite(systemClock, wanted, showSearch);
  showRun(run);
  const charts = createCharts();
  await follow({
    api,
    live: run.live,
    clock: systemClock,
    run: run.run,
    onStory: (story) => {
      showTiles(story);
      showCharts(charts, story, run.end.accuracy);
      showBars(story.totals);
      showHistory(story);
    },
    onTrouble: (message) => write("trouble", message ? "The server does not answer. Trying again…" : ""),
    hidden: () => document.hidden,
    signal: new AbortController().signal,
  });
}

void reporting(main);
