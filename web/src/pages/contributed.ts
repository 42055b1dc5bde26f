/** What this tab has contributed, and how the model has got on meanwhile: shown, and remembered over its reloads. */

import type { RunEvent } from "../index";
import { write } from "./dom";
import { count } from "./format";
import { recalled, type Memory } from "./memory";
import { createPace } from "./pace";
import { since } from "./since";
import { forgetting, tallyFrom } from "./tally";
import { showTally } from "./wording";

/** A gap is a machine asleep, not one at work. */
const LONGEST_MS = 65_000;

export class Contributed {
  private readonly memory: Memory;
  private readonly pace = createPace();
  private counter: ReturnType<typeof tallyFrom>;
  /** Of the time that has been counted; null while nothing runs. */
  private until: number | null = null;
  /** For what the client has said: a paused run, say. It computes nothing meanwhile. */
  private waiting = false;

  /** Goes on from what was remembered under this key. */
  constructor(private readonly key: string) {
    this.memory = recalled(key);
    this.counter = tallyFrom(this.memory.tally);
    showTally(this.memory.tally);
  }

  /** Whether the tab took part when it was left. */
  get running(): boolean {
    return this.memory.running;
  }

  /** Another worker begins, which counts from nothing. */
  beginAnew(): void {
    this.counter = tallyFrom(forgetting(this.memory.tally));
  }

  hear(event: RunEvent): void {
    if (event.type === "waiting") this.waiting = true;
    else if (event.type === "task" || event.type === "step") this.waiting = false;
    this.memory.tally = { ...this.counter(event), seconds: this.memory.tally.seconds };
    if (this.waiting) this.showSpeed(0);
  }

  /** Shows what the model's accuracy is now, and has gained. */
  compare(accuracy: number | null): void {
    const { came, now, note } = since(this.memory.came, accuracy);
    this.memory.came = came;
    write("gain", now);
    write("came", note);
  }

  /** Whether the tab takes part from now on, though it may be held; whether its machine works. */
  change(running: boolean, working: boolean): void {
    this.countTime();
    this.memory.running = running;
    this.until = working ? Date.now() : null;
    this.remember();
  }

  /** Shows how it stands: to be called once a second. */
  tick(): void {
    this.countTime();
    this.showSpeed(this.pace(this.memory.tally.examples, Date.now()));
    showTally(this.memory.tally);
    this.remember();
  }

  remember(): void {
    try {
      sessionStorage.setItem(this.key, JSON.stringify(this.memory));
    } catch {
      // Storage may be forbidden; then a reload begins anew.
    }
  }

  private showSpeed(examplesPerSecond: number): void {
    const computing = this.until !== null && !this.waiting;
    write("speed", computing && examplesPerSecond > 0 ? `${count(examplesPerSecond)} examples/s` : "–");
  }

  private countTime(): void {
    if (this.until === null) return;
    const now = Date.now();
    const passed = Math.min(now - this.until, LONGEST_MS) / 1000;
    this.memory.tally = { ...this.memory.tally, seconds: this.memory.tally.seconds + passed };
    this.until = now;
  }
}
