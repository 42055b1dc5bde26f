/** Taking part, as the volunteer page does it: begun, paused, held, gone on with, over. */

import type { Contribution, Run, RunEvent, Story } from "../index";
import { ASKED } from "./asked";
import { Contributed } from "./contributed";
import { element, write } from "./dom";
import { clearFailure, showFailure } from "./failure";
import type { Heard } from "./heard";
import { Lending } from "./lending";
import { createMachine } from "./machine";
import { measured } from "./measured";
import { showMode, type Mode } from "./mode";
import type { OwnDataPanel } from "./own_data";
import { offerOwnData } from "./own_offer";
import { settling } from "./pace";
import { showAbsent } from "./site";
import { EVENT_NAMES, statusOf } from "./wording";

const THANKS = "This run is finished. Thank you to everyone who took part.";

export class Volunteer {
  private contribution: Contribution | null = null;
  private mode: Mode = "idle";
  private failed: { code: string; message: string } | null = null;
  private own: OwnDataPanel | null = null;
  private again = false; // it is stopped only to begin anew, on other data
  private readonly contributed: Contributed;
  private readonly lending: Lending;
  private readonly showEvent = createMachine();

  constructor(
    private readonly run: Run,
    private readonly heard: Heard,
  ) {
    const { api, description } = run;
    // What was agreed to for one run was not for another that is given its name.
    this.contributed = new Contributed(`webnn:${api}:${description.run}:${description.created_at}`);
    this.lending = new Lending(() => this.lend());
    for (const type of EVENT_NAMES) run.on(type, (event) => this.on(event));
  }

  /** Where the run takes data of visitors' own. */
  async offerOwnData(): Promise<void> {
    this.own = await offerOwnData(this.run, settling(() => this.restart()));
  }

  begin(): void {
    element("toggle").addEventListener("click", () => this.toggle(true));
    addEventListener("pagehide", () => this.contributed.remember());
    addEventListener("online", () => this.contribution?.wake());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.contribution?.wake();
    });
    setInterval(() => this.contributed.tick(), 1000);
    (element("toggle") as HTMLButtonElement).disabled = false;
    write("status", "Press Start to lend this machine. It stops when you close the page.");
    if (this.run.description.status === "finished") this.finish();
    else if (this.contributed.running || ASKED.start) this.toggle(false);
  }

  /** How the run gets on. */
  hear(story: Story): void {
    this.heard.hear(story);
    this.heard.showClients(this.mode === "running");
    this.contributed.compare(measured(story)?.accuracy ?? null);
    if (story.status === "finished") this.finish();
  }

  /** The run was deleted. */
  miss(): void {
    showAbsent(this.run.description.run);
    if (this.heard.gone) return;
    this.heard.gone = this.heard.finished = true;
    this.over("This run is no longer here.");
  }

  /** The run is over, whoever said so first. A client that still works is left to end by itself. */
  private finish(): void {
    this.heard.finished = true;
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
    this.contributed.beginAnew();
    this.setMode("running", "Joining…");
    this.contribution = this.run.contribute({ power: this.lending.power, backend: ASKED.backend, ...(data ? { data } : {}) });
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
    if (paused) this.setMode("idle", "Paused. Press Start to go on with what you have changed.");
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
    if (this.heard.finished) this.lending.end();
    this.setMode("over", reason);
  }

  private setMode(mode: Mode, status: string): void {
    this.mode = mode;
    this.contributed.change(mode === "running" || mode === "held", mode === "running");
    showMode(mode, status, this.heard.finished);
    this.heard.showClients(mode === "running");
  }

  private on(event: RunEvent): void {
    if (ASKED.events) console.info(`webnn-event ${JSON.stringify(event)}`);
    this.contributed.hear(event);
    this.showEvent(event);
    if (event.type === "error" && event.fatal) this.failed = event;
    if (event.type === "stopped") return this.stopped();
    const status = statusOf(event);
    if (status && this.mode === "running") write("status", status);
  }

  private stopped(): void {
    if (this.heard.gone) return;
    if (this.again && !this.failed) return this.startAgain();
    if (this.failed?.code === "missing") return this.miss();
    if (this.failed) return this.over(showFailure(this.failed));
    if (!this.heard.finished) this.heard.lookAgain();
    this.heard.finished = true;
    this.over(THANKS);
  }
}
