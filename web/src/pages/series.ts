/** A run's story as columns for charts. Adds what is new to what was there; nothing is read or sorted twice. */

import type { Measure, Move, Story } from "../index";

/** What the x axis counts: versions, or seconds since version 0. */
export type Scale = "version" | "time";

const MOST_SLOTS = 120;
const MINUTE_MS = 60_000;

type Column = (number | null)[];

export class Series {
  /** x of each evaluation, on either scale. */
  readonly evaluated: Record<Scale, number[]> = { version: [], time: [] };
  readonly accuracy: Column = [];
  readonly loss: Column = [];
  readonly goal: Column = [];
  /** x of each rollback and unmerge. */
  readonly marks: Record<Scale, number[]> = { version: [], time: [] };
  readonly rates = new Rates();
  private moves: readonly Move[] = [];
  private evaluations: readonly Measure[] = [];
  private seen = 0;

  /** When version 0 was made. */
  began = 0;

  private constructor(private readonly target: number | null) {}

  /** These columns with what is new in the story; others, if it is another run's. */
  static of(story: Story, target: number | null, before: Series | null): Series {
    const same = before?.moves === story.moves && before.evaluations === story.evaluations;
    const series = same ? before : new Series(target);
    series.take(story);
    return series;
  }

  /** Seconds since version 0. */
  secondsAt(at: number): number {
    return Math.max(0, at - this.began) / 1000;
  }

  /** Seconds since version 0 until some version. */
  secondsOf(version: number): number {
    const i = before(this.moves, ({ version: made }) => made < version);
    return this.secondsAt((this.moves[i] ?? this.moves.at(-1))?.at ?? 0);
  }

  /** The version at some time. */
  versionAt(at: number): number {
    return this.moves[before(this.moves, (move) => move.at <= at) - 1]?.version ?? 0;
  }

  /** From 0 to this; on either scale never nothing. */
  end(scale: Scale): number {
    const last = this.moves.at(-1);
    const evaluated = this.evaluated.time.at(-1) ?? 0;
    return Math.max(1, scale === "version" ? (last?.version ?? 0) : Math.max(this.secondsAt(last?.at ?? 0), evaluated));
  }

  private take(story: Story): void {
    this.began ||= story.moves[0]?.at ?? 0;
    for (; this.seen < story.moves.length; this.seen++) this.move(story.moves[this.seen]!);
    // What was evaluated before anything is known of it can wait.
    const known = this.began > 0 ? story.evaluations.length : 0;
    for (let i = this.evaluated.version.length; i < known; i++) this.measure(story.evaluations[i]!);
    this.moves = story.moves;
    this.evaluations = story.evaluations;
  }

  private measure({ version, at, accuracy, loss }: Measure): void {
    this.evaluated.version.push(version);
    this.evaluated.time.push(Math.max(this.secondsAt(at), this.evaluated.time.at(-1) ?? 0));
    this.accuracy.push(accuracy);
    this.loss.push(loss);
    this.goal.push(this.target);
  }

  private move({ kind, version, at, updates }: Move): void {
    if (kind === "rollback" || kind === "unmerge") {
      this.marks.version.push(version);
      this.marks.time.push(this.secondsAt(at));
    }
    this.rates.add(this.secondsAt(at), version, updates);
  }
}

/** How many, from the first on, are so. */
function before(moves: readonly Move[], is: (move: Move) => boolean): number {
  let [low, high] = [0, moves.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (is(moves[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Updates per second over a run's time, in slots that double when there would be more than 120. */
export class Rates {
  private width = 1;
  private updates: number[] = [];
  /** At the end of each slot. */
  private versions: number[] = [];

  /** Takes moves in their order. */
  add(seconds: number, version: number, updates: number): void {
    while (seconds / this.width >= MOST_SLOTS) this.widen();
    const slot = Math.floor(seconds / this.width);
    while (this.updates.length <= slot) {
      this.updates.push(0);
      this.versions.push(this.versions.at(-1) ?? 0);
    }
    this.updates[slot]! += updates;
    this.versions[slot] = version;
  }

  /** x and updates per second. By version, times of nothing have no width, and are left out. */
  columns(scale: Scale): [number[], number[]] {
    // The last slot is still filling, and would read low.
    const slots = [...this.updates.keys()].slice(0, Math.max(1, this.updates.length - 1));
    const shown = scale === "time" ? slots : slots.filter((i) => this.updates[i]! > 0);
    const x = shown.map((i) => (scale === "time" ? (i + 0.5) * this.width : this.versions[i]!));
    return [x, shown.map((i) => this.updates[i]! / this.width)];
  }

  private widen(): void {
    this.width *= 2;
    this.updates = pairs(this.updates).map(([first, second]) => first + (second ?? 0));
    this.versions = pairs(this.versions).map(([first, second]) => second ?? first);
  }
}

function pairs(values: readonly number[]): [number, number | undefined][] {
  return Array.from({ length: Math.ceil(values.length / 2) }, (_, i) => [values[2 * i]!, values[2 * i + 1]]);
}

/** Updates per second in the minute before `now`, or over the run's age if that is less: what `webnn status` says. */
export function currentRate(moves: readonly Move[], now: number): number {
  const from = now - MINUTE_MS;
  let updates = 0;
  for (let i = moves.length - 1; i >= 0 && moves[i]!.at > from; i--) updates += moves[i]!.updates;
  const age = now - (moves[0]?.at ?? now);
  return (1000 * updates) / Math.min(MINUTE_MS, Math.max(age, 1000));
}
