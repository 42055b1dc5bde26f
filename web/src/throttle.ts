/** How much of the machine training may take: a duty cycle, and a gate that can be shut. */

import type { Clock } from "./clock";

/** Shorter debts are carried over: timers are not that precise. */
const SHORTEST_SLEEP_MS = 20;
/** Longer ones are slept off in parts, so that a change of power is felt soon. */
const LONGEST_SLEEP_MS = 500;
const BREATH_MS = 50;

export interface Throttle {
  /** To be awaited (when it is a promise) after each piece of work. Rejects with the signal's reason when aborted. */
  after(busyMs: number): void | Promise<void>;
  /** Resolves when the gate is open. */
  open(): Promise<void>;
  setPower(percent: number): void;
  shut(): void;
  reopen(): void;
}

/** Power is in percent of the time, 1 … 100. */
export function createThrottle(clock: Clock, power: number, signal: AbortSignal): Throttle {
  let idlePerBusy = ratio(power);
  let owed = 0;
  let lastBreath = clock.now();
  let gate: { opened: Promise<void>; open(): void } | null = null;

  const open = async () => {
    while (gate) await Promise.race([gate.opened, aborted(signal)]);
    signal.throwIfAborted();
  };

  const payOff = async () => {
    while (owed >= SHORTEST_SLEEP_MS) {
      const start = clock.now();
      await clock.sleep(Math.min(owed, LONGEST_SLEEP_MS), signal);
      // What was overslept counts too.
      owed -= clock.now() - start;
    }
  };

  const rest = async () => {
    await payOff();
    await clock.breathe();
    lastBreath = clock.now();
    await open();
  };

  return {
    open,
    after(busyMs) {
      signal.throwIfAborted();
      owed += busyMs * idlePerBusy;
      const due = owed >= SHORTEST_SLEEP_MS || gate !== null || clock.now() - lastBreath >= BREATH_MS;
      return due ? rest() : undefined;
    },
    setPower(percent) {
      idlePerBusy = ratio(percent);
      owed = 0;
    },
    shut() {
      if (gate) return;
      let opener = () => {};
      const opened = new Promise<void>((resolve) => (opener = resolve));
      gate = { opened, open: opener };
    },
    reopen() {
      gate?.open();
      gate = null;
    },
  };
}

function ratio(percent: number): number {
  return 100 / Math.min(100, Math.max(1, percent)) - 1;
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
}
