/** Histograms for people. */

const HISTOGRAM_TOP = 12;

/** Mean staleness, of how many updates had which; null before the first. */
export function meanOf(counts: readonly number[]): number | null {
  const updates = counts.reduce((sum, one) => sum + one, 0);
  return updates > 0 ? counts.reduce((sum, one, staleness) => sum + one * staleness, 0) / updates : null;
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
