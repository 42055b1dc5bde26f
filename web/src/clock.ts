/** Time and chance, injected wherever they matter so that tests can hold them. */

export interface Clock {
  /** Milliseconds that never run backwards. */
  now(): number;
  /** Rejects with the signal's reason when aborted. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** In [0, 1). */
  random(): number;
  /** Lets waiting messages and timers in. */
  breathe(): Promise<void>;
}

/** What a timer can count; with more it rings at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep,
  breathe,
};

function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const woken = () => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", woken);
      resolve();
    }, Math.min(milliseconds, LONGEST_TIMER_MS));
    signal?.addEventListener("abort", woken, { once: true });
  });
}

// Not a timer: browsers round repeated ones up to 4 ms, more than many a training step takes. The scheduler, where there
// is one, costs least; a message to oneself is understood everywhere.
function breathe(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { postTask(task: () => void): Promise<void> } };
  return scheduler ? scheduler.postTask(() => undefined) : messageToOneself();
}

function messageToOneself(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** Full-jitter exponential back-off, in milliseconds: anything up to `first` · 2^attempt, at most `cap`. */
export function backoff(attempt: number, random: () => number, first = 500, cap = 30_000): number {
  const ceiling = Math.min(cap, first * 2 ** Math.min(attempt, 30));
  // Never less than a tenth, so that no run of luck turns waiting into hammering.
  return ceiling * (0.1 + 0.9 * random());
}
