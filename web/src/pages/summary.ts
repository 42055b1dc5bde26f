/** A run's history boiled down to what the watcher shows. Pure. */

import type { Move } from "../live";

const MINUTE_MS = 60_000;
const MOST_SLOTS = 120;
const HISTOGRAM_TOP = 12;

/** Mean staleness, of how many updates had which; null before the first. */
export function meanOf(counts: readonly number[]): number | null {
  const updates = counts.reduce((sum, one) => sum + one, 0);
  return updates > 0 ? counts.reduce((sum, one, staleness) => sum + one * staleness, 0) / updates : null;
}

/** Updates per second in the minute before `now`, or since the first commit if that is less. */
export function currentRate(moves: readonly Move[], now: number): number {
  const from = now - MINUTE_MS;
  const recent = moves.filter(({ at, updates }) => at > from && updates > 0);
  const first = recent[0];
  if (!first) return 0;
  const young = recent.length === moves.filter(({ updates }) => updates > 0).length;
  // A run younger than a minute is measured over its own age, but never over less than a second.
  const spanMs = young ? Math.max(now - first.at, 1000) : MINUTE_MS;
  return (1000 * recent.reduce((sum, { updates }) => sum + updates, 0)) / spanMs;
}

export interface Bar {
  label: string;
  updates: number;
}

/** How many updates had which staleness; everything from 12 up shares a bar. */
export function stalenessBars(all: readonly number[]): Bar[] {
  const counts = new Array<number>(HISTOGRAM_TOP + 1).fill(0);
  all.forEach((updates, staleness) => (counts[Math.min(staleness, HISTOGRAM_TOP)]! += updates));
  const last = counts.findLastIndex((updates) => updates > 0);
  const shown = counts.slice(0, Math.max(last + 1, 5));
  return shown.map((updates, i) => ({ label: i === HISTOGRAM_TOP ? `${i}+` : String(i), updates }));
}

/** Updates per second over the run's time, in at most 120 slots: seconds since the first commit, and the rates. */
export function ratesOverTime(moves: readonly Move[]): [seconds: number[], rates: number[]] {
  const merged = moves.filter(({ updates }) => updates > 0);
  const start = merged[0]?.at;
  if (start === undefined) return [[], []];
  const span = (merged.at(-1)!.at - start) / 1000;
  const slot = Math.max(1, Math.ceil(span / MOST_SLOTS));
  // The last slot is still filling and would read low.
  const slots = Math.max(1, Math.floor(span / slot));
  const rates = new Array<number>(slots).fill(0);
  for (const { at, updates } of merged) {
    const i = Math.floor((at - start) / 1000 / slot);
    if (i < slots) rates[i]! += updates / slot;
  }
  return [rates.map((_, i) => (i + 0.5) * slot), rates];
}
