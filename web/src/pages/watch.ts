/** The watcher page: a run, live, from its live object; no function is called for it. */

import { createApi, type Api } from "../api";
import { systemClock } from "../clock";
import { follow, type About, type Story } from "../follow";
import { Http, readChanged, type Document } from "../http";
import { apiOf, type Run, type RunDescription } from "../index";
import { commitsCsv, evaluationsCsv } from "./csv";
import { element, write } from "./dom";
import { bytes, count, figure, money, timeOfDay } from "./format";
import { HistoryTable, percentOf } from "./history_table";
import { leisure, unhurried } from "./leisure";
import { measured } from "./measured";
import { drawPicture, save } from "./picture";
import { currentRate } from "./series";
import { openSite, reporting, showAbsent, showFound, showSearch } from "./site";
import { meanOf } from "./summary";
import { WatchCharts } from "./watch_charts";

import "./style.css";
import "./watch.css";

const TICK_MS = 5000;
/** A story that is older than this may be of clients that have left. */
const OLD_MS = 90_000;
const STATES = { running: "Running now", paused: "Paused by its owner", finished: "Finished" };

class Watcher {
  private readonly charts = new WatchCharts();
  private readonly history = new HistoryTable();
  private about: About | null = null;
  private story: Story | null = null;
  private heard = 0;
  /** All of a long history at once would hold up a slow phone. */
  private readonly draw = unhurried<Story>(
    (story) => this.tell(story),
    (story) => this.charts.show(story, this.about?.target ?? null),
    (story) => this.history.show(story),
  );

  constructor(private run: RunDescription | null) {
    for (const button of document.querySelectorAll<HTMLButtonElement>("[data-save]")) {
      button.addEventListener("click", () => void this.save(button.dataset["save"]!));
    }
    setInterval(() => this.showRate(), TICK_MS);
  }

  /** What the API says of the run, which need not be the one that was there before. */
  meet(run: RunDescription): void {
    this.run = run;
  }

  /** The run was deleted. */
  miss(run: string): void {
    this.about = this.run = this.story = null;
    this.showState("idle", "Not running");
    showAbsent(run);
  }

  show(story: Story): void {
    this.story = story;
    this.heard = systemClock.now();
    this.draw(story);
  }

  private tell(story: Story): void {
    if (!this.story) return; // the run is gone meanwhile
    const about = story.about ?? (this.run ? aboutOf(this.run) : null);
    if (about && about.createdAt !== this.about?.createdAt) showRun(about);
    this.about = about;
    this.showState(story.status === "running" ? "running" : "idle", STATES[story.status]);
    showTiles(story);
    showSpent(story);
    this.showRate();
  }

  private showState(mode: "running" | "idle", words: string): void {
    document.body.dataset["mode"] = mode;
    write("state", words);
  }

  /** What changes though nothing happens. */
  private showRate(): void {
    if (!this.story) return;
    const { at, moves, clients, status } = this.story;
    const age = systemClock.now() - this.heard;
    const over = status === "finished";
    write("rate", over ? "–" : figure(currentRate(moves, at + age)));
    write("rate-note", over ? "the run is finished" : "over the last minute");
    write("clients", count(clients));
    write("as-of", age > OLD_MS ? `as of ${timeOfDay(at)}` : "at work in the last minute");
  }

  private async save(what: string): Promise<void> {
    const { story, about } = this;
    if (!story || !about) return;
    const { moves, evaluations } = story;
    if (what === "png") return this.savePicture(story, about);
    const text = what === "commits" ? commitsCsv(moves) : evaluationsCsv(evaluations, moves);
    save(`${about.run}-${what}.csv`, new Blob([text], { type: "text/csv" }));
  }

  private async savePicture(story: Story, { run, title }: About): Promise<void> {
    const { head, at } = story;
    const accuracy = measured(story)?.accuracy;
    const told = [`version ${count(head.version)}`, typeof accuracy === "number" ? `accuracy ${percentOf(accuracy)}` : "", this.charts.range.toLowerCase()];
    const when = new Date(at).toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" });
    const picture = drawPicture(title, [...told.filter(Boolean), when].join(" · "), [...(await this.charts.panels()), { title: "What it took", chart: { facts: factsOnPage() } }]);
    picture.toBlob((blob) => blob && save(`${run}.png`, blob));
  }
}

/** What the page says that it took. */
function factsOnPage(): [string, string][] {
  const text = (part: Element | null | undefined) => part?.textContent ?? "";
  return [...document.querySelectorAll(".list > div")].map((fact) => [text(fact.querySelector("dt")), text(fact.querySelector("dd"))]);
}

function aboutOf({ run, title, description, created_at: createdAt, end }: RunDescription): About {
  return { run, title, description, createdAt, target: end.accuracy };
}

function showRun({ run, title, description, target }: About): void {
  document.title = `${title} · WebNN`;
  showFound(title, description || "A neural network that learns in the browsers of people who lend their machines.");
  (element("join") as HTMLAnchorElement).href = `index.html?run=${encodeURIComponent(run)}`;
  (element("try") as HTMLAnchorElement).href = `try.html?run=${encodeURIComponent(run)}`;
  write("goal", target === null ? "on the whole test set" : `of ${figure(100 * target)} % wanted`);
}

function showTiles(story: Story): void {
  const { head, totals, cost } = story;
  write("accuracy", percentOf(measured(story)?.accuracy));
  write("version", count(head.version));
  write("steps", `after ${count(head.steps)} steps`);
  write("bytes", bytes(totals.bytes));
  write("examples", `${count(totals.updates)} updates`);
  write("cost", cost ? money(cost.dollars) : "–");
  write("cost-note", cost ? "estimated" : "not known at the moment");
}

function showSpent({ totals, cost }: Story): void {
  const mean = meanOf(totals.staleness);
  write("staleness", mean === null ? "–" : figure(mean));
  write("spent-updates", count(totals.updates));
  write("spent-examples", count(totals.examples));
  write("spent-received", bytes(totals.bytes));
  write("spent-checkpoints", bytes(totals.checkpointBytes));
  write("spent-version", typeof cost?.perVersion === "number" ? money(cost.perVersion) : "–");
  write("spent-month", cost ? money(cost.perMonth) : "–");
  if (cost) write("prices", `The cost is an estimate from list prices of ${cost.noted}`);
}

interface Found {
  live: string | null;
  found?: Document;
  /** Null until somebody asks the API. */
  run: Run | null;
}

/** The live object of the run that was asked for lies beside this page; else the API knows where. */
async function find(wanted: string | null, signal: AbortSignal): Promise<Found> {
  if (wanted !== null) {
    const live = new URL(`live/${encodeURIComponent(wanted)}.json`, document.baseURI).href;
    const there = await readChanged(new Http({ clock: systemClock, attempts: 1 }), live, null, signal).catch(() => "absent");
    if (typeof there !== "string") return { live, found: there, run: null };
  }
  const run = await openSite(wanted, showSearch);
  return { live: run.description.live, run };
}

/** Calls whoever wants to look again, when the page is seen again or the network is back. */
function onWake(wake: () => void): () => void {
  const seen = () => document.hidden || wake();
  document.addEventListener("visibilitychange", seen);
  addEventListener("online", wake);
  return () => {
    document.removeEventListener("visibilitychange", seen);
    removeEventListener("online", wake);
  };
}

async function main(): Promise<void> {
  const wanted = new URLSearchParams(location.search).get("run");
  const { signal } = new AbortController();
  const { run, ...there } = await find(wanted, signal);
  const name = run?.description.run ?? wanted!;
  let base = run?.api;
  const getHistory: Api["getHistory"] = async (asked, after, signal) => {
    const api = createApi({ base: (base ??= await apiOf(document.baseURI)), clock: systemClock });
    if (after < 0) watcher.meet(await api.getRun(asked, signal)); // it begins anew
    return api.getHistory(asked, after, signal);
  };
  await leisure();
  const watcher = new Watcher(run?.description ?? null);
  await follow({
    api: { getHistory },
    ...there,
    clock: systemClock,
    run: name,
    onStory: (story) => watcher.show(story),
    onTrouble: (message, gone) => (gone ? watcher.miss(name) : write("trouble", message ? "The server does not answer. Trying again…" : "")),
    hidden: () => document.hidden,
    onWake,
    signal,
  });
}

void reporting(main);
