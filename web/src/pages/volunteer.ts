/** The volunteer page: one button, and what this machine does for the run. */

import { follow, type BackendName, type Contribution, type Run, type RunEvent, type Story } from "../index";
import { element, write } from "./dom";
import { clearFailure, showFailure } from "./failure";
import { count } from "./format";
import { inAdvance, leisure } from "./leisure";
import { Lending } from "./lending";
import { createLossCurve } from "./loss_curve";
import { recalled, type Memory } from "./memory";
import type { OwnDataPanel } from "./own_data";
import { createPace, settling } from "./pace";
import { since } from "./since";
import { openSite, reporting, showAbsent, showSearch } from "./site";
import { createAccuracyChart, showRun, showStory } from "./story";
import { forgetting, tallyFrom, type Tally } from "./tally";
import { EVENT_NAMES, showTally, statusOf } from "./wording";

import "./style.css";

const THANKS = "This run is finished. Thank you to everyone who took part.";

/** How often, and after how long, the story is looked for again that tells of the end: the server writes it down last. */
const LAST_LOOKS = 4;
const LAST_LOOK_MS = 500;

const query = new URLSearchParams(location.search);

/** Held: paused by the terms on which the machine is lent, until they allow it again. */
type Mode = "idle" | "running" | "held" | "paused" | "over";

class Volunteer {
  private contribution: Contribution | null = null;
  private mode: Mode = "idle";
  private finished = false;
  private gone = false;
  private newest = -1;
  private failed: { code: string; message: string } | null = null;
  private readonly pace = createPace();
  private readonly memory: Memory;
  private readonly lending: Lending;
  private counter: (event: RunEvent) => Tally;
  private resumedAt: number | null = null;
  private readonly key: string;
  private own: OwnDataPanel | null = null;
  private again = false; // it is stopped only to begin anew, on other data
  private clients: number | null = null;
  private looks = 0;
  /** Looks at once how the run gets on. */
  lookAgain: () => void = () => undefined;
  private readonly losses = createLossCurve(element("loss-chart"));

  constructor(private readonly run: Run) {
    // What was agreed to for one run was not for another that is given its name.
    this.key = `webnn:${run.api}:${run.description.run}:${run.description.created_at}`;
    this.memory = recalled(this.key);
    this.counter = tallyFrom(this.memory.tally);
    this.lending = new Lending(() => this.lend());
    for (const type of EVENT_NAMES) run.on(type, (event) => this.on(event));
    showTally(this.memory.tally);
  }

  /** Where the run takes data of visitors' own. */
  async offerOwnData(): Promise<void> {
    const { description } = this.run;
    if (description.data.own === "never" || description.status === "finished") return;
    const { createOwnData } = await import("./own_data");
    this.own = await createOwnData(element("own"), description, `webnn:${this.run.api}:${description.run}`, settling(() => this.restart()));
    element("own").hidden = false;
  }

  begin(): void {
    element("toggle").addEventListener("click", () => this.toggle(true));
    addEventListener("pagehide", () => this.remember());
    addEventListener("online", () => this.contribution?.wake());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.contribution?.wake();
    });
    setInterval(() => this.tick(), 1000);
    (element("toggle") as HTMLButtonElement).disabled = false;
    write("status", "Press start to lend this machine. It stops when you close the page.");
    if (this.run.description.status === "finished") this.finish();
    else if (this.memory.running || query.has("start")) this.toggle(false);
  }

  /** How the run gets on. */
  hear({ status, head, evaluations, clients }: Story): void {
    this.newest = head.version;
    this.clients = clients;
    this.showClients();
    const { came, now, note } = since(this.memory.came, evaluations.at(-1)?.accuracy ?? null);
    this.memory.came = came;
    write("gain", now);
    write("came", note);
    if (status === "finished") this.finish();
    else if (this.finished && this.looks++ < LAST_LOOKS) setTimeout(() => this.lookAgain(), LAST_LOOK_MS);
  }

  /** The server counts who has asked it for something: a page that has just begun is at work before that. */
  private showClients(): void {
    if (this.clients !== null) write("clients", count(Math.max(this.clients, Number(this.mode === "running"))));
  }

  /** Whether this is of another run of the name: a head never goes back, and what is gone does not come back. */
  isOfAnother({ about, head }: Story): boolean {
    return this.gone || (about ? about.createdAt > this.run.description.created_at : head.version < this.newest);
  }

  /** The run was deleted. */
  miss(): void {
    showAbsent(this.run.description.run);
    if (this.gone) return;
    this.gone = this.finished = true;
    this.over("This run is no longer here.");
  }

  /** The run is over, whoever said so first. A client that still works is left to end by itself. */
  private finish(): void {
    this.finished = true;
    if (this.mode !== "running") this.over(THANKS);
  }

  private toggle(pressed: boolean): void {
    if (this.mode === "running" || this.mode === "held") this.pause();
    else if (this.mode === "paused") this.resume();
    else this.start(pressed);
  }

  private start(pressed = false): void {
    this.failed = null;
    clearFailure();
    const data = this.own?.data() ?? null;
    if (!data && this.run.description.data.own === "must") return this.askForExamples(pressed);
    this.counter = tallyFrom(forgetting(this.memory.tally));
    this.setMode("running", "Joining…");
    const backend = query.get("backend") as BackendName | null;
    this.contribution = this.run.contribute({ power: this.lending.power, backend, ...(data ? { data } : {}) });
    this.lend();
  }

  /** Whoever came to train is taken to where that begins. A page that begins by itself is left where it is. */
  private askForExamples(pressed: boolean): void {
    this.setMode("idle", "Add examples of your own first: below.");
    if (pressed) this.own?.invite();
  }

  /** What is trained on is another now. Whoever does not train yet begins with it. */
  private restart(): void {
    if (!this.contribution || this.again || this.mode === "over") return;
    this.again = true;
    void this.contribution.stop();
  }

  private startAgain(): void {
    const paused = this.mode === "paused";
    this.again = false;
    this.contribution = null;
    if (paused) this.setMode("idle", "Paused. Press start to go on with what you have changed.");
    else this.start();
  }

  private pause(): void {
    this.contribution?.pause();
    this.setMode("paused", "Paused. Nothing runs on your machine.");
  }

  private resume(): void {
    this.contribution?.resume();
    this.setMode("running", "Going on…");
    this.lend();
  }

  /** Keeps to the terms on which the machine is lent. */
  private lend(): void {
    this.contribution?.setPower(this.lending.power);
    const { reason } = this.lending;
    if (reason !== null && (this.mode === "running" || this.mode === "held")) {
      this.contribution?.pause();
      this.setMode("held", reason);
    } else if (reason === null && this.mode === "held") this.resume();
  }

  private over(reason: string): void {
    this.contribution = null;
    this.run.close();
    if (this.finished) this.lending.end();
    this.setMode("over", reason);
  }

  private setMode(mode: Mode, status: string): void {
    this.countTime();
    this.mode = mode;
    this.memory.running = mode === "running" || mode === "held";
    this.resumedAt = mode === "running" ? Date.now() : null;
    document.body.dataset["mode"] = mode;
    const button = element("toggle") as HTMLButtonElement;
    const over = this.finished ? "Finished" : "Start again";
    button.textContent = { idle: "Start", running: "Pause", held: "Pause", paused: "Continue", over }[mode];
    button.disabled = mode === "over" && this.finished;
    write("status", status);
    this.showClients();
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
    if (event.type === "stopped") return this.stopped();
    const status = statusOf(event);
    if (status && this.mode === "running") write("status", status);
  }

  private stopped(): void {
    if (this.gone) return;
    if (this.again && !this.failed) return this.startAgain();
    if (this.failed?.code === "missing") return this.miss();
    if (this.failed) return this.over(showFailure(this.failed));
    if (!this.finished) this.lookAgain();
    this.finished = true;
    this.over(THANKS);
  }

  private tick(): void {
    this.countTime();
    const examplesPerSecond = this.pace(this.memory.tally.examples, Date.now());
    write("speed", this.mode === "running" && examplesPerSecond > 0 ? `${count(examplesPerSecond)} examples/s` : "–");
    showTally(this.memory.tally);
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

  private remember(): void {
    try {
      sessionStorage.setItem(this.key, JSON.stringify(this.memory));
    } catch {
      // Storage may be forbidden; then a reload begins anew.
    }
  }
}

/** Shows another run from the beginning, for the visitor to decide upon. */
function comeAnew(): void {
  const here = new URL(location.href);
  here.searchParams.delete("start");
  location.replace(here);
}

async function main(): Promise<void> {
  const run = await openSite(query.get("run"), showSearch);
  showRun(run.description);
  await leisure();
  const volunteer = new Volunteer(run);
  await leisure();
  await volunteer.offerOwnData();
  volunteer.begin();
  // TF.js comes while one reads.
  if (run.description.status !== "finished") void inAdvance(() => run.prepare());
  await followed(run, volunteer);
}

/** Follows the run, and begins anew, which is at once, when there is more to know than was heard. */
async function followed(run: Run, volunteer: Volunteer): Promise<void> {
  const chart = createAccuracyChart();
  for (;;) {
    const again = new AbortController();
    volunteer.lookAgain = () => again.abort();
    await follow(run, {
      onStory: (story) => {
        if (volunteer.isOfAnother(story)) return comeAnew();
        showStory(chart, run.description.end.accuracy, story);
        volunteer.hear(story);
      },
      onTrouble: (message, gone) => (gone ? volunteer.miss() : write("trouble", message ? "The server does not answer. Trying again…" : "")),
      hidden: () => document.hidden,
      signal: again.signal,
    });
  }
}

// Once this page is there.
setTimeout(() => void reporting(main));
