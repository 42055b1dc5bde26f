/** How much of the machine training may take: a duty cycle, and a gate that can be shut. */

import type { Clock } from "./clock";

/** Shorter debts are carried over: timers are not that precise. */
const SHORTEST_SLEEP_MS = 20;
/** Longer ones are slept off in parts, so that a change of power is felt soon. */
const LONGEST_SLEEP_MS = 500;
/** Rest that was had in advance, waiting for the network, counts up to here. */
const MOST_RESTED_MS = 1000;
/** Waiting messages, a pause among them, are let in at least this often. */
const BREATH_MS = 50;

export class Throttle {
  private idlePerBusy: number;
  private owed = 0;
  /** Until when all time is accounted for, as computing or as rest. */
  private accounted: number;
  private lastBreath: number;
  private gate: { opened: Promise<void>; open(): void } | null = null;
  private readonly aborted: Promise<never>;

  /** Power is in percent of the time, 1 … 100. */
  constructor(
    private readonly clock: Clock,
    power: number,
    private readonly signal: AbortSignal,
  ) {
    this.idlePerBusy = ratio(power);
    this.accounted = this.lastBreath = clock.now();
    this.aborted = new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
    // Whoever waits hears of it; when nobody does, it is no error.
    this.aborted.catch(() => undefined);
  }

  /** To be awaited, when it is a promise, after each piece of work. Throws the signal's reason when aborted. */
  after(busyMs: number): void | Promise<void> {
    this.signal.throwIfAborted();
    this.computed(busyMs);
    const due = this.owed >= SHORTEST_SLEEP_MS || this.gate !== null || this.clock.now() - this.lastBreath >= BREATH_MS;
    return due ? this.rest() : undefined;
  }

  /** Some of the time since the last call was spent computing; the rest of it was rest. */
  computed(busyMs: number): void {
    const now = this.clock.now();
    const rest = Math.max(0, now - this.accounted - busyMs);
    this.accounted = now;
    this.owed = Math.max(this.owed + busyMs * this.idlePerBusy - rest, -MOST_RESTED_MS);
  }

  /** Resolves when the gate is open. */
  async open(): Promise<void> {
    while (this.gate) await Promise.race([this.gate.opened, this.aborted]);
    this.signal.throwIfAborted();
  }

  setPower(percent: number): void {
    this.idlePerBusy = ratio(percent);
    this.owed = 0;
  }

  shut(): void {
    if (this.gate) return;
    let open = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.gate = { opened, open };
  }

  reopen(): void {
    this.gate?.open();
    this.gate = null;
  }

  private async rest(): Promise<void> {
    while (this.owed >= SHORTEST_SLEEP_MS) {
      await this.clock.sleep(Math.min(this.owed, LONGEST_SLEEP_MS), this.signal);
      // What was overslept counts too.
      this.computed(0);
    }
    await this.clock.breathe();
    this.lastBreath = this.clock.now();
    await this.open();
  }
}

function ratio(percent: number): number {
  return 100 / Math.min(100, Math.max(1, percent)) - 1;
}
