/** Which stretch of the x axis all charts show. */

import type { Range } from "./chart";
import { count, moment } from "./format";
import type { Scale } from "./series";
import { WHOLE_STEPS } from "./ticks";

/** Narrower than this share of all, or than this many versions or seconds, nothing is to be seen. */
const NARROWEST_SHARE = 1e-5;
const NARROWEST = 2;
const STEP = 0.5;

/** Steps between the ticks of an axis. */
const STEPS: Record<Scale, number[]> = {
  version: WHOLE_STEPS,
  time: [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000,
    1_728_000, 4_320_000, 8_640_000,
  ],
};

export class Zoom {
  scale: Scale = "version";
  /** Null: all, however much it becomes. */
  private chosen: Range | null = null;
  private end = 1;

  /** What is seen of an axis that goes from 0 to `end`. */
  over(end: number): Range {
    this.end = end;
    return this.range;
  }

  get range(): Range {
    return this.chosen ?? [0, this.end];
  }

  get whole(): boolean {
    return this.chosen === null;
  }

  get steps(): number[] {
    return STEPS[this.scale];
  }

  /** For people. */
  get words(): string {
    const [from, to] = this.range;
    const name = (x: number) => (this.scale === "version" ? count(Math.round(x)) : moment(Math.round(x)));
    return `${this.scale === "version" ? "Versions" : "Time"} ${name(from)} to ${name(to)}`;
  }

  /** Shows this stretch, or all: no narrower than makes sense, and nothing beyond the ends. */
  choose(range: Range | null): void {
    const narrowest = Math.max(NARROWEST, this.end * NARROWEST_SHARE);
    if (range === null || range[1] - range[0] >= this.end) return void (this.chosen = null);
    const width = Math.max(range[1] - range[0], narrowest);
    const from = Math.min(Math.max(0, (range[0] + range[1] - width) / 2), Math.max(0, this.end - width));
    this.chosen = width >= this.end ? null : [from, from + width];
  }

  /** Half as much, or twice. */
  resize(direction: "in" | "out"): void {
    const [from, to] = this.range;
    const [middle, half] = [(from + to) / 2, ((to - from) / 2) * (direction === "in" ? STEP : 1 / STEP)];
    this.choose([middle - half, middle + half]);
  }

  /** Half a width to one side. */
  move(direction: "earlier" | "later"): void {
    const [from, to] = this.range;
    const by = (to - from) * STEP * (direction === "later" ? 1 : -1);
    if (!this.whole) this.choose([from + by, to + by]);
  }

  /** The same moments on the other scale, which `convert` gives. */
  rescale(scale: Scale, convert: (x: number) => number, end: number): void {
    this.scale = scale;
    this.end = end;
    if (this.chosen) this.choose([convert(this.chosen[0]), convert(this.chosen[1])]);
  }
}
