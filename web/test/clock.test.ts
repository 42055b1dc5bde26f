import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { systemClock } from "../src/clock";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("a sleep longer than a timer can count is a long one, not none", async () => {
  let awake = false;
  const sleep = systemClock.sleep(1e13).then(() => (awake = true));
  await vi.advanceTimersByTimeAsync(2 ** 31 - 2);
  expect(awake).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await sleep;
});
