/**
 * The library: takes part in a run until the run is over or somebody says stop. No DOM, no globals.
 *
 * Whatever goes wrong on the way — the machine sleeps, the network goes, tokens and URLs expire, the server is down —
 * the client gets over by itself; it gives up only when there is no such run, or no backend that can train the model.
 */

import { backoff } from "./clock";
import { Cycle, type Parts } from "./cycle";
import { Corrupt, Diverged, NoBackend, Refused, Stale, Unavailable } from "./errors";
import type { ClientEvent } from "./protocol";
import { createThrottle } from "./throttle";

const LONGEST_WAIT_MS = 60_000;

export interface JoinOptions extends Parts {
  run: string;
  /** Percent of the time that training may take, 1 … 100. */
  power: number;
  onEvent(event: ClientEvent): void;
  signal?: AbortSignal;
}

export interface Client {
  /** Starts, or goes on after a pause. */
  start(): void;
  /** Holds after the current step, until `start`. */
  pause(): void;
  setPower(percent: number): void;
  /** Leaves the run; resolves when all is quiet. */
  stop(): Promise<void>;
  /** The network is back, or the machine woke up: do not wait any longer. */
  wake(): void;
  /** Resolves with the reason when the client has left the run. */
  readonly finished: Promise<string>;
}

class Left extends Error {}

/** A client of a run; nothing happens before `start`. */
export function join(options: JoinOptions): Client {
  const leaving = new AbortController();
  const signal = leaving.signal;
  const leave = () => leaving.abort(new Left("left"));
  if (options.signal?.aborted) leave();
  options.signal?.addEventListener("abort", leave, { once: true });

  const throttle = createThrottle(options.clock, options.power, signal);
  const { wait, wake } = wakeable(options, signal);
  const cycle = new Cycle({ ...options, throttle, signal, emit: options.onEvent, wait });
  let state: "new" | "running" | "paused" = "new";
  let finish: (reason: string) => void;
  const finished = new Promise<string>((resolve) => (finish = resolve));

  const end = (reason: string) => {
    options.trainer.reset();
    options.onEvent({ type: "stopped", reason });
    finish(reason);
  };

  return {
    finished,
    wake,
    setPower: (percent) => throttle.setPower(percent),
    start() {
      if (state === "paused") {
        throttle.reopen();
        options.onEvent({ type: "resumed" });
      }
      if (state === "new") void live(cycle, options, () => throttle.open(), wait, signal).then(end);
      state = "running";
    },
    pause() {
      if (state !== "running") return;
      state = "paused";
      throttle.shut();
      options.onEvent({ type: "paused" });
    },
    async stop() {
      leave();
      if (state === "new") end("left");
      await finished;
    },
  };
}

/** Turns the cycle until the run is over; gives the reason. Never rejects. */
async function live(
  cycle: Cycle,
  options: JoinOptions,
  open: () => Promise<void>,
  wait: (seconds: number, reason: string) => Promise<void>,
  signal: AbortSignal,
): Promise<string> {
  for (let failures = 0; ; ) {
    try {
      await open();
      const over = await cycle.turn();
      if (over !== null) return over;
      failures = 0;
    } catch (error) {
      if (signal.aborted) return "left";
      const fatal = isFatal(error, cycle);
      options.onEvent({ type: "error", code: codeOf(error), message: messageOf(error), fatal });
      if (fatal) return messageOf(error);
      recover(error, cycle, options);
      failures++;
      const pause = failures === 1 && isMovedOn(error) ? 0 : backoff(failures, () => options.clock.random(), 1000, LONGEST_WAIT_MS);
      await wait(pause / 1000, messageOf(error)).catch(() => undefined);
    }
  }
}

function recover(error: unknown, cycle: Cycle, options: JoinOptions): void {
  const gone = error instanceof Refused && (error.code === "unauthorized" || error.code === "missing");
  if (gone) cycle.forgetMembership();
  // Whatever the trainer choked on (a lost GPU, a full heap), the next attempt starts from nothing.
  if (!isOrdinary(error)) options.trainer.reset();
}

function isOrdinary(error: unknown): boolean {
  return [Refused, Unavailable, Stale, Corrupt].some((kind) => error instanceof kind);
}

/** Nothing is broken, the world has only moved on: try again at once. */
function isMovedOn(error: unknown): boolean {
  return error instanceof Stale || (error instanceof Refused && (error.code === "unauthorized" || error.code === "conflict"));
}

function isFatal(error: unknown, cycle: Cycle): boolean {
  if (error instanceof NoBackend) return true;
  return !cycle.joined && error instanceof Refused && (error.code === "missing" || error.code === "invalid");
}

function codeOf(error: unknown): string {
  if (error instanceof Refused) return error.code;
  if (error instanceof Unavailable) return "unavailable";
  if (error instanceof Stale) return "stale";
  if (error instanceof Corrupt) return "corrupt";
  if (error instanceof Diverged) return "diverged";
  return error instanceof NoBackend ? "no_backend" : "trainer";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Waiting that tells, and that `wake` cuts short. */
function wakeable({ clock, onEvent }: JoinOptions, signal: AbortSignal) {
  let waiting: AbortController | null = null;
  const wait = async (seconds: number, reason: string) => {
    if (seconds <= 0) return;
    onEvent({ type: "waiting", seconds, reason });
    waiting = new AbortController();
    await clock.sleep(seconds * 1000, AbortSignal.any([signal, waiting.signal])).catch(() => undefined);
    waiting = null;
    signal.throwIfAborted();
  };
  return { wait, wake: () => waiting?.abort() };
}
