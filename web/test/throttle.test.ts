/** The power slider holds: of all time no more is spent computing than it says, and hardly less where there is work. */

import { describe, expect, test } from "vitest";

import { Throttle } from "../src/throttle";
import { testClock } from "./clock";

/** Lives through so many tasks; gives the share of the time that was spent computing, in percent. */
async function dutyCycle(power: number, { tasks = 200, steps = 8, stepMs = 5, afterwardsMs = 2, networkMs = 0, oversleepMs = 0 }): Promise<number> {
  const clock = testClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms, signal) => sleep(ms + oversleepMs, signal);
  const throttle = new Throttle(clock, power, new AbortController().signal);
  let busy = 0;
  const computing = (ms: number) => {
    busy += ms;
    clock.spend(ms);
  };
  for (let task = 0; task < tasks; task++) {
    clock.spend(networkMs);
    for (let step = 0; step < steps; step++) {
      computing(stepMs);
      await throttle.after(stepMs);
    }
    computing(afterwardsMs);
    throttle.computed(afterwardsMs);
  }
  return (100 * busy) / clock.now();
}

describe.each([10, 25, 50, 75])("at %i %", (power) => {
  test.each([
    ["short steps", {}],
    ["steps that are shorter than any timer", { stepMs: 0.6, steps: 32 }],
    ["the long steps of a convolutional net", { stepMs: 700, steps: 4, tasks: 30 }],
    ["steps of seconds", { stepMs: 4000, steps: 2, tasks: 10 }],
    ["much to do after the steps", { afterwardsMs: 40 }],
    ["timers that ring late", { oversleepMs: 16 }],
    ["a network that is waited for, which is rest", { networkMs: 13 }],
  ])("with %s", async (_, life) => {
    const share = await dutyCycle(power, life);
    expect(Math.abs(share - power) / power).toBeLessThan(0.1);
  });
});

test("a network so slow that it takes more than the rest leaves less, and saves up no burst", async () => {
  const clock = testClock();
  const throttle = new Throttle(clock, 50, new AbortController().signal);
  clock.spend(3_600_000);
  let burst = 0;
  while (clock.slept.length === 0) {
    clock.spend(100);
    burst += 100;
    await throttle.after(100);
  }
  expect(burst).toBeLessThanOrEqual(1200);
});

test("at full power there is no pause", async () => {
  expect(await dutyCycle(100, {})).toBe(100);
});
