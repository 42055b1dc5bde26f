import { describe, expect, test } from "vitest";

import { Unavailable } from "../src/errors";
import { follow, type Story } from "../src/pages/follow";
import { bytes, count, duration, figure, percent } from "../src/pages/format";
import { createPace } from "../src/pages/pace";
import { currentRate, ratesOverTime, stalenessBars, totalsOf } from "../src/pages/summary";
import { emptyTally, tallyFrom } from "../src/pages/tally";
import type { ClientEvent, Commit, Evaluation, History } from "../src/protocol";
import { testClock } from "./clock";

const commit = (version: number, change: Partial<Commit> = {}): Commit => ({
  version,
  from_version: version - 1,
  generation: 0,
  at: 1000 * version,
  steps: 4 * version,
  examples: 256,
  bytes: 100,
  staleness: [0],
  discounts: [1],
  ...change,
});

const evaluation = (version: number): Evaluation => ({ version, loss: 1, accuracy: 0.5, examples: 10, at: 1000 * version });

/** A run's history as the server pages it, `size` versions at a time. */
class Ledger {
  commits: Commit[] = [];
  evaluations: Evaluation[] = [];
  generation = 0;
  status: History["status"] = "running";
  readonly asked: number[] = [];
  failures = 0;

  constructor(private readonly size: number) {}

  getHistory = (run: string, after: number): Promise<History> => {
    this.asked.push(after);
    if (this.failures-- > 0) return Promise.reject(new Unavailable("down"));
    const last = this.commits.at(-1)?.version ?? 0;
    const end = after + this.size;
    const within = ({ version }: { version: number }) => version > after && version <= end;
    const head = { version: last, steps: 4 * last, generation: this.generation, sha256: "" };
    const [commits, evaluations] = [this.commits.filter(within), this.evaluations.filter(within)];
    return Promise.resolve({ run, status: this.status, head, clients: 1, commits, evaluations, next_after: last > end ? end : null });
  };
}

/** Follows for so many pauses; before each pause, `between` may change the world. */
async function followed(ledger: Ledger, pauses: number, between: (pause: number) => void = () => undefined, hidden = false) {
  const clock = testClock();
  const stop = new AbortController();
  const stories: Story[] = [];
  const troubles: (string | null)[] = [];
  const sleep = clock.sleep;
  clock.sleep = async (ms, signal) => {
    if (clock.slept.length + 1 >= pauses) stop.abort(new Error("enough"));
    between(clock.slept.length);
    await sleep(ms, signal);
  };
  await follow({
    api: ledger,
    clock,
    run: "digits",
    onStory: (story) => stories.push(story),
    onTrouble: (message) => troubles.push(message),
    hidden: () => hidden,
    signal: stop.signal,
  });
  return { stories, troubles, slept: clock.slept };
}

describe("following a run", () => {
  test("asks page by page until all is there", async () => {
    const ledger = new Ledger(10);
    ledger.commits = Array.from({ length: 25 }, (_, i) => commit(i + 1));
    const { stories } = await followed(ledger, 1);
    expect(ledger.asked).toEqual([-1, 9, 19]);
    expect(stories.at(-1)!.commits.map(({ version }) => version)).toEqual(ledger.commits.map(({ version }) => version));
  });

  test("then asks only for what is new", async () => {
    const ledger = new Ledger(100);
    ledger.commits = [1, 2, 3].map((version) => commit(version));
    ledger.evaluations = [evaluation(3)];
    const { stories } = await followed(ledger, 2, () => ledger.commits.push(commit(4)));
    expect(ledger.asked).toEqual([-1, 3]);
    expect(stories.at(-1)!.commits).toHaveLength(4);
  });

  test("an evaluation that comes after its version was seen is not missed", async () => {
    const ledger = new Ledger(100);
    ledger.commits = [1, 2, 3].map((version) => commit(version));
    ledger.evaluations = [evaluation(1)];
    const { stories } = await followed(ledger, 2, () => ledger.evaluations.push(evaluation(2)));
    expect(stories.at(-1)!.evaluations.map(({ version }) => version)).toEqual([1, 2]);
  });

  test("a rollback is one more version, and what was before it stays told", async () => {
    const ledger = new Ledger(100);
    ledger.commits = [1, 2, 3].map((version) => commit(version));
    const { stories } = await followed(ledger, 2, () => {
      ledger.generation = 1;
      ledger.commits[3] = commit(4, { generation: 1, staleness: [], discounts: [] });
    });
    expect(stories.at(-1)!.commits).toEqual(ledger.commits);
    expect(stories.at(-1)!.commits).toHaveLength(4);
  });

  test("a server that is down is asked less and less often, and the trouble is told and taken back", async () => {
    const ledger = new Ledger(100);
    ledger.failures = 3;
    const { troubles, slept } = await followed(ledger, 4);
    expect(troubles).toEqual(["down", "down", "down", null]);
    expect(slept[2]!).toBeGreaterThan(slept[0]!);
  });

  test("a finished run is asked about once", async () => {
    const ledger = new Ledger(100);
    ledger.status = "finished";
    const { stories, slept } = await followed(ledger, 5);
    expect(stories).toHaveLength(1);
    expect(slept).toEqual([]);
  });

  test("a hidden page asks less often", async () => {
    expect((await followed(new Ledger(1), 2)).slept[0]).toBe(2000);
    expect((await followed(new Ledger(1), 2, () => undefined, true)).slept[0]).toBe(15_000);
  });
});

describe("a history that leads nowhere", () => {
  const page = (change: Partial<History>): History => ({
    run: "digits",
    status: "running",
    head: { version: 1, steps: 1, generation: 0, sha256: "" },
    clients: 1,
    commits: [commit(1)],
    evaluations: [],
    next_after: null,
    ...change,
  });

  /** What happens before the first pause. */
  async function askedBeforeAPause(answer: (request: number) => History) {
    const ledger = new Ledger(1);
    ledger.getHistory = (_, after) => {
      ledger.asked.push(after);
      if (ledger.asked.length > 50) throw new Error("asks for ever");
      return Promise.resolve(answer(ledger.asked.length));
    };
    return { ...(await followed(ledger, 1)), asked: ledger.asked };
  }

  test.each([
    ["next_after that stands still", 0, [-1, 0]],
    ["next_after that goes back", -5, [-1]],
    ["no next_after", undefined, [-1]],
  ])("%s: that was the last page, until the next look", async (_, next, expected) => {
    const { asked, stories, troubles } = await askedBeforeAPause(() => page({ next_after: next as number }));
    expect(asked).toEqual(expected);
    expect(stories.at(-1)!.commits).toHaveLength(1);
    expect(troubles).toEqual([null]);
  });
});

describe("the summary", () => {
  const commits = [
    commit(1, { at: 0, staleness: [], discounts: [], examples: 0, bytes: 0 }),
    commit(2, { at: 10_000, staleness: [0] }),
    commit(5, { at: 11_000, staleness: [1, 2, 40] }),
    commit(6, { at: 20_000, staleness: [1] }),
  ];

  test("adds up updates, examples and bytes", () => {
    expect(totalsOf(commits)).toEqual({ updates: 5, examples: 768, bytes: 300, staleness: 44 / 5 });
    expect(totalsOf([]).staleness).toBeNull();
  });

  test("counts updates by staleness, the far ones together", () => {
    const bars = stalenessBars(commits);
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
    const long = Array.from({ length: 1000 }, (_, i) => commit(i, { at: i * 1000 }));
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
