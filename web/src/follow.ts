/**
 * Follows a run as it goes on: reads its live object, which nobody is called for, and keeps what is known. Where there is
 * none it asks the API for the run's history, and less often.
 */

import { backoff, type Clock } from "./clock";
import type { Api } from "./api";
import { Chronicle } from "./chronicle";
import { Refused } from "./errors";
import type { Document } from "./http";
import { LiveReader } from "./live_reader";
import type { Measure, Move } from "./live";
import type { Head, History, Status } from "./protocol";

/** Sums over a run's whole history. */
export interface Totals {
  updates: number;
  examples: number;
  /** Of all updates' bodies. */
  bytes: number;
  checkpointBytes: number;
  /** How many updates were so stale, from 0; the last of 65 counts all that were staler. */
  staleness: readonly number[];
}

/** Estimated, in dollars: what the run has cost, for each version, and what keeping it costs a month from now on. */
export interface Cost {
  dollars: number;
  perVersion: number | null;
  perMonth: number;
  /** When the prices were written down. */
  noted: string;
}

/** What a run's watchers are told about it. */
export interface About {
  run: string;
  title: string;
  description: string;
  createdAt: number;
  /** Accuracy at which it ends. */
  target: number | null;
}

export interface Story {
  /** Null where the API tells the story: ask it for the run. */
  about: About | null;
  status: Status;
  head: Head;
  /** That asked for a task in the minute before `at`. */
  clients: number;
  /** When this was so, in milliseconds since 1970. */
  at: number;
  /** Oldest first. While it is the same array, it only ever grows at its end. */
  moves: readonly Move[];
  /** By version. While it is the same array, it only ever grows at its end. */
  evaluations: readonly Measure[];
  totals: Totals;
  /** Null where the API tells the story. */
  cost: Cost | null;
  /** Clients now and then: milliseconds since 1970, and how many. Empty where the API tells the story. */
  crowd: readonly (readonly [at: number, clients: number])[];
}

export interface Follow {
  api: Pick<Api, "getHistory">;
  /** Where the live object is: `Run.live`. */
  live: string | null;
  clock: Clock;
  run: string;
  onStory(story: Story): void;
  /** Nothing answers, or (`gone`) there is no such run any more; null when all is well again. */
  onTrouble(message: string | null, gone: boolean): void;
  hidden(): boolean;
  /** Takes, once, what looks again at once, or as soon as a look that is under way is over; gives what takes it back. */
  onWake?: (wake: () => void) => () => void;
  signal: AbortSignal;
  fetch?: typeof fetch;
  /** The live object, where somebody has just read it. */
  found?: Document;
}

export const PAUSES_MS = {
  /** While something changes. */
  busy: 2000,
  /** While nothing does, at last. */
  still: 10_000,
  hidden: 15_000,
  hiddenStill: 60_000,
  /** Of a finished run, which its owner may yet start again. */
  finished: 60_000,
  /** Where the API has to be asked. */
  api: 8000,
};
const SLOWER = 1.5;
/** How often the API is asked before the live object is looked for again. */
const ASKED_BETWEEN = 8;

/** Runs until the signal aborts. */
export async function follow(options: Follow): Promise<void> {
  const rest = new Rest(options);
  const takeBack = options.onWake?.(() => rest.end());
  await lookOn(options, rest).finally(takeBack);
}

async function lookOn(options: Follow, rest: Rest): Promise<void> {
  const { clock, signal } = options;
  const source = new Source(options);
  for (let failures = 0; ; ) {
    try {
      const pause = await source.look();
      options.onTrouble(null, false);
      failures = 0;
      // Each at another moment, however many were opened at one.
      await rest.of(pause * (0.9 + 0.2 * clock.random()));
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      const gone = error instanceof Refused && error.code === "missing";
      if (gone) source.forget();
      options.onTrouble(error instanceof Error ? error.message : String(error), gone);
      await rest.of(backoff(failures, () => clock.random(), 2000, 60_000)).catch(() => undefined);
    }
  }
}

/** Pauses between looks. */
class Rest {
  private alarm = new AbortController();

  constructor(private readonly options: Follow) {}

  /** Ends the pause, or if there is none the next: what a look that is under way finds may be older. */
  end(): void {
    this.alarm.abort();
  }

  /** Sleeps, unless woken. Rejects when the signal aborts. */
  async of(milliseconds: number): Promise<void> {
    const { clock, signal } = this.options;
    await clock.sleep(milliseconds, AbortSignal.any([signal, this.alarm.signal])).catch(() => undefined);
    this.alarm = new AbortController();
    signal.throwIfAborted();
  }
}

/** Where the story comes from, and when to look again. */
class Source {
  private readonly chronicle = new Chronicle();
  private readonly reader: LiveReader | null;
  private asked = 0;
  private still = 0;

  constructor(private readonly options: Follow) {
    this.reader = options.live === null ? null : new LiveReader({ ...options, url: options.live }, this.chronicle);
  }

  /** What comes next is of another run. */
  forget(): void {
    this.asked = this.still = 0;
    this.reader?.forget();
    this.chronicle.clear();
  }

  /** Tells what is new; gives the milliseconds until the next look. */
  async look(): Promise<number> {
    const { hidden, onStory } = this.options;
    const found = this.reader && this.asked % ASKED_BETWEEN === 0 ? await this.reader.look() : null;
    if (found === null) {
      this.asked++;
      await this.askApi();
      return hidden() ? PAUSES_MS.hiddenStill : PAUSES_MS.api;
    }
    this.asked = 0;
    this.still = found.changed ? 0 : this.still + 1;
    if (found.changed) onStory(found.story);
    if (found.story.status === "finished") return PAUSES_MS.finished;
    const [first, last] = hidden() ? [PAUSES_MS.hidden, PAUSES_MS.hiddenStill] : [PAUSES_MS.busy, PAUSES_MS.still];
    return Math.min(last, first * SLOWER ** this.still);
  }

  private async askApi(): Promise<void> {
    const { api, run, onStory, signal } = this.options;
    for (let after: number | null = this.chronicle.after; after !== null; ) {
      const page: History = await api.getHistory(run, after, signal);
      if (page.head.version < this.chronicle.version) {
        this.forget(); // a head never goes back
        after = this.chronicle.after;
        continue;
      }
      this.chronicle.addHistory(page);
      const { moves, evaluations, totals } = this.chronicle;
      const { status, head, clients } = page;
      onStory({ about: null, status, head, clients, at: Date.now(), moves, evaluations, totals, cost: null, crowd: [] });
      // A page that leads nowhere new is the last, whatever it says.
      after = page.next_after !== null && page.next_after > after ? page.next_after : null;
    }
  }
}
