/** Waiting until a page has nothing better to do. */

/** Resolves in a task of its own, when there is time for it. */
export function leisure(): Promise<void> {
  // Safari has no such callback.
  if (typeof requestIdleCallback !== "function") return new Promise((resolve) => setTimeout(resolve, 50));
  return new Promise((resolve) => requestIdleCallback(() => resolve(), { timeout: 1000 }));
}

/** What shows the newest of what it is given: a part at a time, each in a task of its own. */
export function unhurried<T>(...parts: ((value: T) => void)[]): (value: T) => void {
  let newest: T;
  let busy = false;
  const show = async () => {
    for (const part of parts) {
      await leisure();
      part(newest);
    }
  };
  const settle = async () => {
    busy = true;
    for (let shown; shown !== newest; ) {
      shown = newest;
      await show();
    }
    busy = false;
  };
  return (value) => {
    newest = value;
    if (!busy) void settle();
  };
}

/** Does what is good to have done, unless this visitor pays for every byte. */
export async function inAdvance(work: () => void): Promise<void> {
  await leisure();
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (!connection?.saveData) work();
}
