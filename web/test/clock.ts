/** A clock that tests turn: sleeping moves it, so nothing waits in earnest. */

import type { Clock } from "../src/clock";

export interface TestClock extends Clock {
  /** All sleeps so far, in milliseconds. */
  readonly slept: number[];
  /** Work that takes this long. */
  spend(milliseconds: number): void;
}

export function testClock(): TestClock {
  let now = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    random: () => 0.5,
    spend: (milliseconds) => void (now += milliseconds),
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted();
      slept.push(milliseconds);
      now += milliseconds;
      await breathe();
      signal?.throwIfAborted();
    },
    breathe,
  };
}

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
