/** How fast something grows, over the last seconds of the clock on the wall. */

const WINDOW_MS = 10_000;

/** Takes the total so far and the time in milliseconds; gives the growth per second, 0 before there is a second to tell. */
export function createPace(): (total: number, now: number) => number {
  let samples: { total: number; now: number }[] = [];
  return (total, now) => {
    samples = [...samples.filter((sample) => now - sample.now <= WINDOW_MS), { total, now }];
    const first = samples[0]!;
    return now > first.now ? (1000 * (total - first.total)) / (now - first.now) : 0;
  };
}

/** Calls once there was no call for a while: who adds ten things in a row has changed one. */
export function settling(call: () => void, milliseconds = 2000): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, milliseconds);
  };
}
