/** The volunteer page: one button, and what this machine does for the run. */

import { systemClock } from "../clock";
import { join, type BackendName, type Contribution, type EventName, type Run, type RunDescription, type RunEvent } from "../index";
import type { Chart } from "./chart";
import { element, write } from "./dom";
import { follow, type Story } from "../follow";
import { bytes, count, duration, figure, percent } from "./format";
import { createPace } from "./pace";
import { createChartLater, leisure } from "./later_chart";
import { openSite, reporting, showSearch } from "./site";
import { createLossCurve } from "./loss_curve";
import { recalled, type Memory } from "./memory";
import { forgetting, tallyFrom, type Tally } from "./tally";

import "./style.css";

const NOT_STARTED = "Training could not start in this browser. Reload this page to try again.";
/** All that the client tells. */
const EVENTS = {
  joined: 0,
  backend: 0,
  restored: 0,
  task: 0,
  step: 0,
  uploaded: 0,
  met: 0,
  settled: 0,
  evaluated: 0,
  traffic: 0,
  waiting: 0,
  paused: 0,
  resumed: 0,
  error: 0,
  stopped: 0,
  model: 0,
} satisfies Record<EventName, 0>;
const THANKS = "This run is finished. Thank you to everyone who took part.";

const query = new URLSearchParams(location.search);

type Mode = "idle" | "running" | "paused" | "over";

class Volunteer {
  private contribution: Contribution | null = null;
  private mode: Mode = "idle";
  private finished = false;
  private failed: { code: string } | null = null;
  private readonly pace = createPace();
  private memory: Memory;
  private counter: (event: RunEvent) => Tally;
  private resumedAt: number | null = null;
  private readonly key: string;
  private readonly losses = createLossCurve(element("loss-chart"));

  constructor(
    private readonly run: Run,
    base: string,
  ) {
    this.key = `webnn:${base}:${run.description.run}`;
    for (const type of Object.keys(EVENTS) as EventName[]) run.on(type, (event) => this.on(event));
    this.memory = recalled(this.key);
    this.counter = tallyFrom(this.memory.tally);
    this.showTally();
  }

  begin(): void {
    const power = element("power") as HTMLInputElement;
    power.value = String(this.memory.power);
    power.addEventListener("input", () => this.setPower(Number(power.value)));
    this.setPower(this.memory.power);
    element("toggle").addEventListener("click", () => this.toggle());
    addEventListener("pagehide", () => this.remember());
    addEventListener("online", () => this.contribution?.wake());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.contribution?.wake();
    });
    setInterval(() => this.tick(), 1000);
    (element("toggle") as HTMLButtonElement).disabled = false;
    write("status", "Press start to lend this machine. It stops when you close the page.");
    if (this.run.description.status === "finished") this.finish();
    else if (this.memory.running || query.has("start")) this.toggle();
  }

  /** The run is over, whoever said so first. A client that still works is left to end by itself. */
  finish(): void {
    this.finished = true;
    if (this.mode !== "running") this.over(THANKS);
  }

  private toggle(): void {
    if (this.mode === "running") this.pause();
    else if (this.mode === "paused") this.resume();
    else this.start();
  }

  private start(): void {
    this.failed = null;
    this.counter = tallyFrom(forgetting(this.memory.tally));
    this.setMode("running", "Joining…");
    const backend = query.get("backend") as BackendName | null;
    this.contribution = this.run.contribute({ power: this.memory.power, backend });
  }

  private pause(): void {
    this.contribution?.pause();
    this.setMode("paused", "Paused. Nothing runs on your machine.");
  }

  private resume(): void {
    this.contribution?.resume();
    this.setMode("running", "Going on…");
  }

  private over(reason: string): void {
    this.contribution = null;
    this.run.close();
    this.setMode("over", reason);
  }

  private setPower(power: number): void {
    this.memory.power = power;
    write("power-value", `${power} %`);
    this.contribution?.setPower(power);
    this.remember();
  }

  private setMode(mode: Mode, status: string): void {
    this.countTime();
    this.mode = mode;
    this.memory.running = mode === "running";
    this.resumedAt = mode === "running" ? Date.now() : null;
    document.body.dataset["mode"] = mode;
    const button = element("toggle") as HTMLButtonElement;
    const over = this.finished ? "Finished" : "Start again";
    button.textContent = { idle: "Start", running: "Pause", paused: "Continue", over }[mode];
    button.disabled = mode === "over" && this.finished;
    write("status", status);
    this.remember();
  }

  private on(event: RunEvent): void {
    // For programs that drive the page: `?events` writes every event to the console, one JSON object a line.
    if (query.has("events")) console.info(`webnn-event ${JSON.stringify(event)}`);
    this.memory.tally = { ...this.counter(event), seconds: this.memory.tally.seconds };
    if (event.type === "task") write("version", count(event.version));
    if (event.type === "backend") write("backend", event.name);
    if (event.type === "step") {
      this.losses.add(event.step, event.loss);
      write("computing", `${count(event.imagesPerSecond)}/s while computing`);
    }
    if (event.type === "error" && event.fatal) this.failed = event;
    if (event.type === "stopped") return this.stopped(event.reason);
    const status = statusOf(event);
    if (status && this.mode === "running") write("status", status);
  }

  private stopped(reason: string): void {
    if (this.failed) return this.over(this.failed.code === "no_worker" ? NOT_STARTED : sentence(reason));
    this.finished = true;
    this.over(THANKS);
  }

  private tick(): void {
    this.countTime();
    const examplesPerSecond = this.pace(this.memory.tally.examples, Date.now());
    write("speed", this.mode === "running" && examplesPerSecond > 0 ? `${count(examplesPerSecond)} examples/s` : "–");
    this.showTally();
    this.remember();
  }

  private countTime(): void {
    if (this.resumedAt === null) return;
    const now = Date.now();
    // A gap is a machine asleep, not one at work.
    const passed = Math.min(now - this.resumedAt, 65_000) / 1000;
    this.memory.tally = { ...this.memory.tally, seconds: this.memory.tally.seconds + passed };
    this.resumedAt = now;
  }

  private showTally(): void {
    const { merged, sent, unused, forgotten, examples, up, down, seconds } = this.memory.tally;
    write("merged", count(merged));
    const waiting = sent - merged - unused - forgotten;
    const others = [[waiting, "waiting"], [unused, "not used"], [forgotten, "unknown"]] as const;
    const told = others.map(([updates, word]) => (updates > 0 ? `, ${count(updates)} ${word}` : ""));
    write("sent", `of ${count(sent)} sent${told.join("")}`);
    write("examples", count(examples));
    write("up", bytes(up));
    write("down", `${bytes(down)} received`);
    write("seconds", duration(seconds));
  }

  private remember(): void {
    try {
      sessionStorage.setItem(this.key, JSON.stringify(this.memory));
    } catch {
      // Storage may be forbidden; then a reload begins anew.
    }
  }
}

function statusOf(event: RunEvent): string | null {
  switch (event.type) {
    case "joined":
      return "Joined. Getting the model ready…";
    case "task":
      return event.kind === "train" ? `Training from version ${count(event.version)}` : `Checking version ${count(event.version)} on the test data`;
    case "waiting":
      return `Waiting: ${event.reason}`;
    default:
      return null;
  }
}

function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}

function showRun({ run, title, description, data, training }: RunDescription): void {
  write("trouble", "");
  document.title = `${title} · WebNN`;
  write("title", title);
  write("description", description);
  (element("watch") as HTMLAnchorElement).href = `watch.html?run=${encodeURIComponent(run)}`;
  (element("try") as HTMLAnchorElement).href = `try.html?run=${encodeURIComponent(run)}`;
  write("data-size", `${count(data.train_examples)} training examples, ${count(data.validation_examples)} held back for testing`);
  write("batch", `${training.local_steps} × ${training.batch_size}`);
}

function showStory(chart: Pick<Chart, "show">, target: number | null, story: Story): void {
  const { evaluations, head, clients } = story;
  const latest = evaluations.at(-1);
  write("version", count(head.version));
  write("clients", count(clients));
  write("accuracy", typeof latest?.accuracy === "number" ? percent(latest.accuracy) : "–");
  const goal = evaluations.map(() => target);
  const summary = typeof latest?.accuracy === "number" ? `Accuracy ${percent(latest.accuracy)} at version ${latest.version}` : "No evaluation yet";
  chart.show([evaluations.map(({ version }) => version), evaluations.map(({ accuracy }) => accuracy), goal], summary);
}

async function main(): Promise<void> {
  const { api, run, base } = await openSite(systemClock, query.get("run"), showSearch);
  showRun(run);
  const volunteer = new Volunteer(await join(base, run.run), base);
  await leisure();
  volunteer.begin();
  const chart = createChartLater(element("accuracy-chart"), {
    lines: [
      { label: "accuracy", colour: "--accent", dots: true, fill: true },
      { label: "goal", colour: "--soft", width: 1, dash: [4, 4] },
    ],
    format: (value) => `${figure(100 * value)} %`,
    formatX: count,
    range: (min) => [Math.max(0, Math.min(min, 0.9) - 0.05), 1],
  });
  await follow({
    api,
    live: run.live,
    clock: systemClock,
    run: run.run,
    onStory: (story) => {
      showStory(chart, run.end.accuracy, story);
      if (story.status === "finished") volunteer.finish();
    },
    onTrouble: (message) => write("trouble", message ? "The server does not answer. Trying again…" : ""),
    hidden: () => document.hidden,
    signal: new AbortController().signal,
  });
}

void reporting(main);
