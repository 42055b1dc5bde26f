/** A run's history boiled down to what the watcher shows. Pure. */

import type { Commit } from "../protocol";

const MINUTE_MS = 60_000;
const MOST_SLOTS = 120;
const HISTOGRAM_TOP = 12;

export interface Totals {
  updates: number;
  examples: number;
  bytes: number;
  /** Mean over all updates; null before the first. */
  staleness: number | null;
}

/** Sums over all commits. */
export function totalsOf(commits: readonly Commit[]): Totals {
  let [updates, examples, bytes, stale] = [0, 0, 0, 0];
  for (const commit of commits) {
    updates += commit.staleness.length;
    examples += commit.examples;
    bytes += commit.bytes;
    for (const staleness of commit.staleness) stale += staleness;
  }
  return { updates, examples, bytes, staleness: updates > 0 ? stale / updates : null };
}

/** Updates per second in the minute before `now`, or since the first commit if that is less. */
export function currentRate(commits: readonly Commit[], now: number): number {
  const from = now - MINUTE_MS;
  const recent = commits.filter(({ at, staleness }) => at > from && staleness.length > 0);
  const first = recent[0];
  if (!first) return 0;
  const young = recent.length === commits.filter(({ staleness }) => staleness.length > 0).length;
  // A run younger than a minute is measured over its own age, but never over less than a second.
  const spanMs = young ? Math.max(now - first.at, 1000) : MINUTE_MS;
  return (1000 * recent.reduce((sum, { staleness }) => sum + staleness.length, 0)) / spanMs;
}

export interface Bar {
  label: string;
  updates: number;
}

/** How many updates had which staleness; everything from 12 up shares a bar. */
export function stalenessBars(commits: readonly Commit[]): Bar[] {
  const counts = new Array<number>(HISTOGRAM_TOP + 1).fill(0);
  for (const { staleness } of commits) {
    for (const value of staleness) counts[Math.min(value, HISTOGRAM_TOP)]! += 1;
  }
  const last = counts.findLastIndex((updates) => updates > 0);
  const shown = counts.slice(0, Math.max(last + 1, 5));
  return shown.map((updates, i) => ({ label: i === HISTOGRAM_TOP ? `${i}+` : String(i), updates }));
}

/** Updates per second over the run's time, in at most 120 slots: seconds since the first commit, and the rates. */
export function ratesOverTime(commits: readonly Commit[]): [seconds: number[], rates: number[]] {
  const merged = commits.filter(({ staleness }) => staleness.length > 0);
  const start = merged[0]?.at;
  if (start === undefined) return [[], []];
  const span = (merged.at(-1)!.at - start) / 1000;
  const slot = Math.max(1, Math.ceil(span / MOST_SLOTS));
  // The last slot is still filling and would read low.
  const slots = Math.max(1, Math.floor(span / slot));
  const rates = new Array<number>(slots).fill(0);
  for (const { at, staleness } of merged) {
    const i = Math.floor((at - start) / 1000 / slot);
    if (i < slots) rates[i]! += staleness.length / slot;
  }
  return [rates.map((_, i) => (i + 0.5) * slot), rates];
}
