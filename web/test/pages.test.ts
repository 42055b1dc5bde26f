import { describe, expect, test } from "vitest";

import type { Story } from "../src/follow";
import type { Measure, Move } from "../src/live";
import type { Range } from "../src/pages/chart";
import { bytes, clock, count, duration, figure, moment, money, percent, timeOfDay } from "../src/pages/format";
import { extentOf } from "../src/pages/extent";
import { measured } from "../src/pages/measured";
import { createPace } from "../src/pages/pace";
import { commitsCsv, evaluationsCsv } from "../src/pages/csv";
import { currentRate, Rates, Series } from "../src/pages/series";
import { meanOf, stalenessBars } from "../src/pages/summary";
import { Zoom } from "../src/pages/zoom";
import { emptyTally, tallyFrom } from "../src/pages/tally";
import type { ClientEvent } from "../src/messages";

const aMove = (version: number, at: number, updates: number): Move => ({
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
  note: "",
});

describe("how good the weights are", () => {
  const measures: Measure[] = [1, 2].map((version) => ({ version, at: 0, loss: 1, accuracy: version / 4 }));
  const trained = [aMove(1, 0, 1), aMove(2, 0, 1), aMove(3, 0, 1)];
  const back = (restores: number): Move => ({ ...aMove(4, 0, 0), kind: "rollback", generation: 1, restores });
  const further: Move = { ...aMove(5, 0, 1), generation: 1 };
  const known = (moves: Move[], evaluations = measures) => {
    const { version, generation, steps } = moves.at(-1)!;
    return measured({ head: { version, generation, steps, sha256: "" }, moves, evaluations })?.version ?? null;
  };

  test("is what was measured last, though the head is further", () => expect(known(trained)).toBe(2));
  test("is not known after a reset", () => expect(known([...trained, back(0)])).toBeNull());
  test("is what it was of a version that was brought back", () => expect(known([...trained, back(1)])).toBe(1));
  test("is not known of one that was brought back and never measured", () => expect(known([...trained, back(3)])).toBeNull());
  test("is not known of what was trained since, until it is measured", () => {
    expect(known([...trained, back(1), further])).toBeNull();
    expect(known([...trained, back(1), further], [...measures, { version: 5, at: 0, loss: 1, accuracy: 1 }])).toBe(5);
  });
  test("is not known before the first evaluation", () => expect(known(trained, [])).toBeNull());
});

describe("the summary", () => {
  const commits = [aMove(1, 0, 0), aMove(2, 10_000, 1), aMove(5, 11_000, 3), aMove(6, 20_000, 1)];
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
    expect(currentRate(commits, 20_000)).toBe(5 / 20);
    expect(currentRate([aMove(0, 0, 0), aMove(21, 75_000, 21)], 90_000)).toBe(21 / 60); // young is the merging, not the run
    expect(currentRate([aMove(0, 0, 0), aMove(2, 400, 2)], 500)).toBe(2);
    expect(currentRate(commits, 75_000)).toBeCloseTo(1 / 60);
    expect(currentRate(commits, 500_000)).toBe(0);
    expect(currentRate([], 0)).toBe(0);
  });

  test("rates over time add up to the updates, but for the slot that is still filling", () => {
    const rates = new Rates();
    for (const [seconds, version, updates] of [[0, 1, 1], [1, 4, 3], [10, 5, 1]] as const) rates.add(seconds, version, updates);
    expect(rates.columns("time")).toEqual([[0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5], [1, 3, 0, 0, 0, 0, 0, 0, 0, 0]]);
    expect(rates.columns("version")).toEqual([[1, 4], [1, 3]]);
    expect(new Rates().columns("time")).toEqual([[], []]);
  });

  test("rates over a long time stay few, whether they come one by one or all at once", () => {
    const [rates, late] = [new Rates(), new Rates()];
    for (let i = 0; i < 5000; i++) rates.add(i, i + 1, 1);
    late.add(1_000_000, 7, 1);
    const [x, y] = rates.columns("time");
    expect(x.length).toBeGreaterThan(50);
    expect(x.length).toBeLessThanOrEqual(120);
    expect(y.every((rate) => rate === 1)).toBe(true);
    expect(late.columns("time")[0].length).toBeLessThanOrEqual(120);
  });
});

describe("the columns of charts", () => {
  const story = (moves: Move[], evaluations: Measure[]): Story => ({
    about: null,
    status: "running",
    head: { version: 0, steps: 0, generation: 0, sha256: "" },
    clients: 0,
    at: 99_000,
    moves,
    evaluations,
    totals: { updates: 0, examples: 0, bytes: 0, checkpointBytes: 0, staleness: [] },
    cost: null,
    crowd: [],
  });
  const measure = (version: number, at: number): Measure => ({ version, at, loss: 1, accuracy: version / 10 });
  const moves = [aMove(0, 5000, 0), aMove(2, 7000, 2), { ...aMove(3, 9000, 0), kind: "rollback" as const }, aMove(4, 15_000, 1)];

  test("go on from what was there, by version and by time", () => {
    const [known, measures] = [moves.slice(0, 2), [measure(0, 5500)]];
    const first = Series.of(story(known, measures), 0.9, null);
    known.push(...moves.slice(2));
    measures.push(measure(3, 9500));
    const then = Series.of(story(known, measures), 0.9, first);
    expect(then).toBe(first);
    expect(then.evaluated).toEqual({ version: [0, 3], time: [0.5, 4.5] });
    expect([then.accuracy, then.goal]).toEqual([[0, 0.3], [0.9, 0.9]]);
    expect(then.marks).toEqual({ version: [3], time: [4] });
    expect([then.end("version"), then.end("time")]).toEqual([4, 10]);
  });

  test("begin anew with another run", () => {
    const first = Series.of(story([...moves], []), null, null);
    expect(Series.of(story(moves.slice(0, 1), []), null, first)).not.toBe(first);
  });

  test("know the version at a time, and the time of a version", () => {
    const series = Series.of(story(moves, []), null, null);
    expect([4000, 5000, 8999, 9000, 99_000].map((at) => series.versionAt(at))).toEqual([0, 0, 2, 3, 4]);
    expect([0, 1, 2, 4, 9].map((version) => series.secondsOf(version))).toEqual([0, 2, 2, 10, 10]);
  });

  test("of a run of which nothing is known yet are empty, and of some length", () => {
    const series = Series.of(story([], [measure(0, 5500)]), null, null);
    expect([series.end("version"), series.end("time"), series.evaluated.version]).toEqual([1, 1, []]);
  });
});

describe("the zoom", () => {
  const zoomed = (range: Range | null, end = 100) => {
    const zoom = new Zoom();
    zoom.over(end);
    zoom.choose(range);
    return zoom;
  };

  test("shows all, however much it becomes, until a stretch is chosen", () => {
    const zoom = zoomed(null);
    expect([zoom.over(200), zoom.whole]).toEqual([[0, 200], true]);
    zoom.choose([50, 60]);
    expect([zoom.over(300), zoom.whole]).toEqual([[50, 60], false]);
  });

  test.each([
    [[-20, 30], [0, 50]],
    [[80, 130], [50, 100]],
    [[40, 40.1], [39.05, 41.05]],
    [[-10, 200], [0, 100]],
  ] as const)("of %j shows %j: nothing beyond the ends, and not too close", (range, shown) => {
    expect(zoomed(range).range).toEqual(shown.map((x) => expect.closeTo(x) as number));
  });

  test("goes in, out and to both sides by steps", () => {
    const zoom = zoomed(null);
    const steps = [() => zoom.resize("in"), () => zoom.move("later"), () => zoom.move("later"), () => zoom.move("earlier"), () => zoom.resize("out"), () => zoom.move("later")];
    expect(steps.map((step) => (step(), zoom.range))).toEqual([[25, 75], [50, 100], [50, 100], [25, 75], [0, 100], [0, 100]]);
  });

  test("keeps its place when the scale changes", () => {
    const zoom = zoomed([20, 40]);
    zoom.rescale("time", (version) => version * 30, 3000);
    expect([zoom.range, zoom.words]).toEqual([[600, 1200], "Time 10 min to 20 min"]);
  });
});

describe("how far lines go in a stretch of x", () => {
  const [x, y] = [[0, 10, 20, 30], [8, null, 2, 6]];
  test.each([
    [[-5, 40], [2, 8]],
    [[5, 25], [2, 6.5]],
    [[22, 24], [2.8, 3.6]],
    [[20, 30], [2, 6]],
    [[15, 18], [2.6, 3.5]],
  ] as const)("%j: %j, at its edges too, and over what is missing", (range, extent) => {
    expect(extentOf(x, [y], range)).toEqual(extent.map((value) => expect.closeTo(value) as number));
  });

  test("is what was last, where lines are stepped", () => expect(extentOf(x, [y], [5, 25], true)).toEqual([2, 8]));

  test("is of all lines together, and of none where there is nothing", () => {
    expect(extentOf(x, [y, [9, 9, 9, 9]], [22, 24])).toEqual([expect.closeTo(2.8), 9]);
    expect([extentOf(x, [y], [31, 40]), extentOf([], [[]], [0, 1])]).toEqual([null, null]);
  });
});

test("CSV has the columns of the command's, without what the page does not know", () => {
  const moves = [aMove(0, 5000, 0), aMove(2, 7250, 2)];
  expect(commitsCsv([{ ...moves[0]!, kind: "genesis" }, { ...moves[1]!, note: '"so", he said' }]).split("\n")).toEqual([
    "time,seconds,kind,from_version,version,steps,generation,updates,clients,examples,update_bytes,checkpoint_bytes,note",
    "1970-01-01T00:00:05.000Z,0.000,genesis,0,0,0,0,0,1,256,100,100,",
    "1970-01-01T00:00:07.250Z,2.250,commit,0,2,8,0,2,1,256,100,100,\"\"\"so\"\", he said\"",
    "",
  ]);
  expect(commitsCsv([{ ...moves[0]!, note: "=A1,B1" }]).split("\n")[1]).toMatch(/,"'=A1,B1"$/);
  const evaluations = [{ version: 2, at: 8000, loss: null, accuracy: 0.5 }, { version: 3, at: 9000, loss: 1.5, accuracy: 0.25 }];
  expect(evaluationsCsv(evaluations, moves)).toBe(
    "time,seconds,version,steps,loss,accuracy\n1970-01-01T00:00:08.000Z,3.000,2,8,nan,0.5\n1970-01-01T00:00:09.000Z,4.000,3,,1.5,0.25\n",
  );
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
  expect([0, 45, 90, 720, 7200, 9000].map(moment)).toEqual(["0", "45 s", "1:30", "12 min", "2 h", "2 h 30"]);
  expect([3.4, 1234.5, 1e7, 0.000_123].map(money)).toEqual(["$3.40", "$1,234.50", "$10,000,000.00", "$0.00012"]);
  expect([0, 4.6e-10, 1e-6, 0.5].map(money)).toEqual(["$0.00", "<$0.000001", "$0.000001", "$0.50"]);
  expect([0, 999, 1000, 12_345.6, 999_999].map(count)).toEqual(["0", "999", "1,000", "12,346", "999,999"]);
  expect([1e6, 1_234_567, 345_678_901, 999_960_000, 2.5e9, 7e12].map(count)).toEqual(["1M", "1.2M", "345.7M", "1B", "2.5B", "7T"]);
  expect([bytes(0), bytes(999), bytes(12_345), bytes(4_600_000), bytes(2e15)]).toEqual(["0 B", "999 B", "12.3 kB", "4.6 MB", "2000 TB"]);
  expect([duration(42.9), duration(185), duration(7620)]).toEqual(["42 s", "3 min 05 s", "2 h 07 min"]);
  expect([figure(0), figure(0.012_345), figure(14.8351), figure(12_345)]).toEqual(["0", "0.0123", "14.8", "12,345"]);
  expect(percent(0.9704)).toBe("97.0 %");
});

test("times of today have seconds, others their day, all on the clock of whoever looks", () => {
  const at = (day: number, hours: number, seconds = 0) => new Date(2026, 10, day, hours, 5, seconds).getTime();
  expect(clock(at(3, 9, 7), at(3, 23))).toBe("09:05:07");
  expect(clock(at(3, 9, 7), at(4, 0))).toBe("3 Nov, 09:05");
  expect(timeOfDay(at(3, 14))).toBe("14:05");
});
