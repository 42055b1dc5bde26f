/** The chart of this machine's own loss: every point seen, thinned out as they become many, and their trend. */

import { count, figure } from "./format";
import { createChartLater } from "./later_chart";

const MOST_POINTS = 1200;
const TREND = 0.12;

export interface LossCurve {
  /** `step` counts within a task, from 1. */
  add(step: number, loss: number): void;
}

/** Draws at most once per animation frame: a hidden page draws nothing. */
export function createLossCurve(host: HTMLElement): LossCurve {
  const chart = createChartLater(host, {
    lines: [
      { label: "batch", colour: "--trace", width: 1 },
      { label: "trend", colour: "--accent-2", width: 2 },
    ],
    format: figure,
    formatX: count,
    labelX: "your steps",
    range: (_, max) => [0, Math.max(max, 0.1) * 1.05],
  });
  let xs: number[] = [];
  let losses: number[] = [];
  let trend: number[] = [];
  let seen = 0;
  let steps = 0;
  let lastStep = 0;
  let weighed = 0;
  let pending = false;

  const draw = () => {
    pending = false;
    chart.show([xs, losses, trend], `Loss on this machine: ${figure(trend.at(-1) ?? 0)}`);
  };

  return {
    add(step, loss) {
      seen++;
      // Not every step is told of, but the last of a task is: whatever does not grow belongs to the next.
      steps += step > lastStep ? step - lastStep : step;
      lastStep = step;
      xs.push(steps);
      losses.push(loss);
      weighed += TREND * (loss - weighed);
      // Corrected for having begun at 0, or the first batch would weigh on the trend for a hundred more.
      trend.push(weighed / (1 - (1 - TREND) ** seen));
      if (xs.length > MOST_POINTS) [xs, losses, trend] = [xs, losses, trend].map(everyOther) as [number[], number[], number[]];
      if (pending) return;
      pending = true;
      requestAnimationFrame(draw);
    },
  };
}

function everyOther(values: number[]): number[] {
  return values.filter((_, i) => i % 2 === 0 || i === values.length - 1);
}
