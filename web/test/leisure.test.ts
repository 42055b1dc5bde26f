import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { unhurried } from "../src/pages/leisure";

/** What waits for the page to have time. */
let waiting: (() => void)[] = [];
const reported = vi.fn();

beforeEach(() => {
  vi.stubGlobal("requestIdleCallback", (task: () => void) => void waiting.push(task));
  vi.stubGlobal("reportError", reported);
});
afterEach(() => {
  waiting = [];
  reported.mockReset();
  vi.unstubAllGlobals();
});

/** The page has time for one thing. False: nothing waits for it. */
async function haveTime(): Promise<boolean> {
  const next = waiting.shift();
  next?.();
  await new Promise((resolve) => setImmediate(resolve));
  return next !== undefined;
}

async function settled(): Promise<void> {
  while (await haveTime());
}

/** Two parts that write down what they were given. */
function twoParts() {
  const told: string[] = [];
  return { told, show: unhurried<number>((value) => told.push(`a${value}`), (value) => told.push(`b${value}`)) };
}

test("shows nothing while the page is busy, then a part at a time", async () => {
  const { told, show } = twoParts();
  show(1);
  expect(told).toEqual([]);
  await haveTime();
  expect(told).toEqual(["a1"]);
  await haveTime();
  expect(told).toEqual(["a1", "b1"]);
  expect(await haveTime()).toBe(false);
});

test("of many only the newest is shown", async () => {
  const { told, show } = twoParts();
  for (const value of [1, 2, 3]) show(value);
  await settled();
  expect(told.slice(-2)).toEqual(["a3", "b3"]);
  expect(told.join()).not.toMatch(/1|2/);
});

test("what comes amid the parts is shown by those that are left, and by all after that", async () => {
  const { told, show } = twoParts();
  show(1);
  await haveTime();
  show(2);
  await settled();
  expect(told).toEqual(["a1", "b2", "a2", "b2"]);
  show(3);
  await settled();
  expect(told.slice(4)).toEqual(["a3", "b3"]);
});

test("a page that is hidden for long has caught up after one round when it is seen again", async () => {
  const { told, show } = twoParts();
  for (const value of Array.from({ length: 500 }, (_, i) => i)) show(value);
  expect(waiting).toHaveLength(1);
  await settled();
  expect(told.filter((one) => one.startsWith("b"))).toEqual(["b499"]);
});

test("a part that breaks is reported, and keeps neither the others nor what comes next from being shown", async () => {
  const told: number[] = [];
  const show = unhurried<number>(
    (value) => {
      if (value === 1) throw new Error("broken");
      told.push(value);
    },
    (value) => told.push(10 * value),
  );
  show(1);
  await settled();
  show(2);
  await settled();
  expect(told).toEqual([10, 2, 20]);
  expect(reported.mock.calls.map(([error]) => (error as Error).message)).toEqual(["broken"]);
});
