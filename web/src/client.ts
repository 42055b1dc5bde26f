/**
 * The library: takes part in a run until the run is over or somebody says stop. No DOM, no globals.
 *
 * Whatever goes wrong on the way — the machine sleeps, the network goes, tokens and URLs expire, the server is down —
 * the client gets over by itself; it gives up only when the server says that there is no such run (any more, or that
 * another has its name), when no backend can train the model, or when nobody could.
 */

import { backoff, type Clock } from "./clock";
import { Complaint } from "./complaint";
import { Cycle, type Over, type Parts } from "./cycle";
import { NotUnderstood } from "./errors";
import type { ClientEvent } from "./messages";
import { Throttle } from "./throttle";
import { verdictOn } from "./verdict";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
const PUZZLED_AFTER = 3;

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
  /** The page may be gone soon: keeps what outlives it. */
  save(): void;
  /** Leaves the run; resolves when all is quiet. */
  stop(): Promise<void>;
  /** The network is back, or the machine woke up: do not wait any longer. */
  wake(): void;
  /** Resolves with the reason when the client has left the run. */
  readonly finished: Promise<string>;
}

/** A client of a run; nothing happens before `start`. */
export function join(options: JoinOptions): Client {
  return new Member(options);
}

interface End extends Over {
  /** The run, too. */
  over: boolean;
}

const LEFT: End = { reason: "left", over: false };

class Member implements Client {
  readonly finished: Promise<string>;
  private finish: (reason: string) => void = () => undefined;
  private state: "new" | "running" | "paused" = "new";
  /** Answers in a row that made no sense. */
  private riddles = 0;
  private readonly leaving = new AbortController();
  private readonly throttle: Throttle;
  private readonly patience: Patience;
  private readonly cycle: Cycle;
  private readonly complaint: Complaint;

  constructor(private readonly options: JoinOptions) {
    const { signal } = this.leaving;
    this.throttle = new Throttle(options.clock, options.power, signal);
    this.patience = new Patience(options.clock, signal, options.onEvent);
    const wait = this.patience.wait.bind(this.patience);
    this.complaint = new Complaint(options, signal);
    this.cycle = new Cycle({ ...options, throttle: this.throttle, signal, emit: this.emit, wait });
    this.finished = new Promise((resolve) => (this.finish = resolve));
    options.signal?.addEventListener("abort", () => void this.stop(), { once: true });
    if (options.signal?.aborted) void this.stop();
  }

  start(): void {
    if (this.leaving.signal.aborted || this.state === "running") return;
    if (this.state === "paused") {
      this.throttle.reopen();
      this.options.onEvent({ type: "resumed" });
    } else {
      void this.live().then((over) => this.end(over));
    }
    this.state = "running";
  }

  pause(): void {
    if (this.state !== "running") return;
    this.state = "paused";
    this.throttle.shut();
    this.options.onEvent({ type: "paused" });
    void this.cycle.linger(this.paused);
    this.save();
  }

  save(): void {
    void this.options.trainer.save();
  }

  setPower(percent: number): void {
    this.throttle.setPower(percent);
  }

  wake(): void {
    this.patience.wake();
  }

  async stop(): Promise<void> {
    const first = !this.leaving.signal.aborted;
    this.leaving.abort(new Error("left"));
    if (first && this.state === "new") await this.end(LEFT);
    await this.finished;
  }

  private readonly paused = (): boolean => this.state === "paused" && !this.leaving.signal.aborted;

  private readonly emit = (event: ClientEvent): void => {
    this.complaint.hear(event);
    this.options.onEvent(event);
  };

  private async end({ reason, over }: End): Promise<void> {
    const { trainer } = this.options;
    // Who has left may come back; nobody comes back to a run that is over.
    await (over ? trainer.drop() : trainer.save());
    this.resetTrainer();
    this.options.onEvent({ type: "stopped", reason });
    this.finish(reason);
  }

  /** Turns the cycle until the run is over. */
  private async live(): Promise<End> {
    for (let failures = 0; ; ) {
      try {
        // Work that was under way when the pause began may have been sent since.
        void this.cycle.linger(this.paused);
        await this.throttle.open();
        const over = await this.cycle.turn();
        if (over) return { ...over, over: true };
        failures = 0;
        this.riddles = 0;
      } catch (error) {
        if (this.leaving.signal.aborted) return LEFT;
        const over = await this.getOver(error, ++failures);
        if (over) return over;
      }
    }
  }

  /** Tells, mends what can be mended, and waits. Gives the reason when there is no getting over it. */
  private async getOver(error: unknown, failures: number): Promise<End | null> {
    const verdict = verdictOn(error, this.cycle.membershipToken !== null);
    const { code, fatal, detail } = verdict;
    const message = this.puzzled(error) ? `${verdict.message}. Reload the page, which may be older than the server` : verdict.message;
    // When the world has only moved on, nothing is broken: try again at once, and say so only if that does not help.
    const atOnce = failures === 1 && verdict.movedOn;
    if (!atOnce) this.options.onEvent({ type: "error", code, message, fatal, ...(detail === undefined ? {} : { detail }) });
    await this.complaint.about(verdict, failures, this.cycle.membershipToken);
    if (fatal) return { reason: message, over: code === "missing" };
    if (verdict.forgotten) this.cycle.forgetMembership();
    if (verdict.spoilt) {
      await this.options.trainer.drop();
      this.resetTrainer();
    }
    const pauseMs = backoff(failures, () => this.options.clock.random(), FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
    if (!atOnce) await this.patience.wait(pauseMs / 1000, message).catch(() => undefined);
    return null;
  }

  /** Once is chance; several times in a row the page and the server do not speak the same language. */
  private puzzled(error: unknown): boolean {
    this.riddles = error instanceof NotUnderstood ? this.riddles + 1 : 0;
    return this.riddles >= PUZZLED_AFTER;
  }

  private resetTrainer(): void {
    try {
      this.options.trainer.reset();
    } catch {
      // A lost GPU cannot even give back what it held; what matters is that it is let go.
    }
  }
}

/** Waiting that tells, and that `wake` cuts short. */
class Patience {
  private waiting: AbortController | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly signal: AbortSignal,
    private readonly emit: (event: ClientEvent) => void,
  ) {}

  async wait(seconds: number, reason: string): Promise<void> {
    this.emit({ type: "waiting", seconds, reason });
    this.waiting = new AbortController();
    await this.clock.sleep(seconds * 1000, AbortSignal.any([this.signal, this.waiting.signal])).catch(() => undefined);
    this.waiting = null;
    this.signal.throwIfAborted();
  }

  wake(): void {
    this.waiting?.abort();
  }
}
