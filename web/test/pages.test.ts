import { describe, expect, test } from "vitest";

import type { Move } from "../src/live";
import { bytes, count, duration, figure, percent } from "../src/pages/format";
import { createPace } from "../src/pages/pace";
import { currentRate, meanOf, ratesOverTime, stalenessBars } from "../src/pages/summary";
import { emptyTally, tallyFrom } from "../src/pages/tally";
import type { ClientEvent } from "../src/protocol";

describe("the summary", () => {
  const move = (version: number, at: number, updates: number): Move => ({
    kind: "commit",
    version,
    fromVersion: version - updates,
    at,
    steps: 4 * version,
    generation: 0,
    updates,
    clients: 1,
    examples: 256,
    bytes: 100,
    checkpointBytes: 100,
    staleness: updates > 0 ? [0, 0] : null,
    discount: updates > 0 ? 1 : null,
    restores: null,
    leftOut: null,
  });
  const commits = [move(1, 0, 0), move(2, 10_000, 1), move(5, 11_000, 3), move(6, 20_000, 1)];
  const staleness = [1, 2, 1, ...new Array<number>(37).fill(0), 1];

  test("knows the mean of a histogram", () => {
    expect(meanOf(staleness)).toBe(44 / 5);
    expect(meanOf([])).toBeNull();
  });

  test("counts updates by staleness, the far ones together", () => {
    const bars = stalenessBars(staleness);
    expect(bars[0]).toEqual({ label: "0", updates: 1 });
    expect(bars[1]).toEqual({ label: "1", updates: 2 });
    expect(bars.at(-1)).toEqual({ label: "12+", updates: 1 });
    expect(stalenessBars([])).toHaveLength(5);
  });

  test("the rate now is over the last minute, or the run's age", () => {
    expect(currentRate(commits, 20_000)).toBeCloseTo(0.5);
    expect(currentRate(commits, 75_000)).toBeCloseTo(1 / 60);
    expect(currentRate(commits, 500_000)).toBe(0);
    expect(currentRate([], 0)).toBe(0);
  });

  test("rates over time add up to the updates, but for the slot that is still filling", () => {
    const [seconds, rates] = ratesOverTime(commits);
    expect(seconds).toHaveLength(10);
    expect(rates.slice(0, 2)).toEqual([1, 3]);
    const long = Array.from({ length: 1000 }, (_, i) => move(i, i * 1000, 1));
    expect(ratesOverTime(long)[0].length).toBeLessThanOrEqual(120);
    expect(ratesOverTime(long)[1].every((rate) => Math.abs(rate - 1) < 1e-9)).toBe(true);
    expect(ratesOverTime([])).toEqual([[], []]);
  });
});

test("a tally counts a machine's contribution, and goes on from an earlier one", () => {
  const settled = (state: "merged" | "discarded"): ClientEvent => ({ type: "settled", updateId: "u", state, reason: null, version: 1, staleness: 0 });
  const counter = tallyFrom({ ...emptyTally, sent: 10, up: 1000, down: 500 });
  counter({ type: "uploaded", updateId: "u", version: 1, steps: 4, examples: 256, bytes: 100 });
  counter(settled("merged"));
  counter(settled("discarded"));
  counter({ type: "traffic", up: 70, down: 30 });
  counter({ type: "paused" });
  expect(counter({ type: "traffic", up: 80, down: 40 })).toEqual({
    ...emptyTally,
    sent: 11,
    merged: 1,
    unused: 1,
    examples: 256,
    up: 1080,
    down: 540,
  });
});

test("updates that nobody asks about any more are not waiting", () => {
  const counter = tallyFrom({ ...emptyTally, sent: 5, merged: 3, unused: 1 });
  expect(counter({ type: "joined", run: "digits", clientId: "c" }).forgotten).toBe(1);
});

test("a pace is over the last ten seconds", () => {
  const pace = createPace();
  expect([pace(0, 0), pace(100, 1000), pace(1100, 11_000), pace(1100, 30_000)]).toEqual([0, 100, 100, 0]);
});

test("numbers for people", () => {
  expect([count(12_345), count(1_234_567)]).toEqual(["12,345", "1.2M"]);
  expect([bytes(0), bytes(999), bytes(12_345), bytes(4_600_000), bytes(2e15)]).toEqual(["0 B", "999 B", "12.3 kB", "4.6 MB", "2000 TB"]);
  expect([duration(42.9), duration(185), duration(7620)]).toEqual(["42 s", "3 min 05 s", "2 h 07 min"]);
  expect([figure(0), figure(0.012_345), figure(14.8351), figure(12_345)]).toEqual(["0", "0.0123", "14.8", "12,345"]);
  expect(percent(0.9704)).toBe("97.0 %");
});
