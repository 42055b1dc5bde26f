/** Waiting until a page has nothing better to do. */

/** Resolves in a task of its own, when there is time for it. */
export function leisure(): Promise<void> {
  // Safari has no such callback.
  if (typeof requestIdleCallback !== "function") return new Promise((resolve) => setTimeout(resolve, 50));
  return new Promise((resolve) => requestIdleCallback(() => resolve(), { timeout: 1000 }));
}

/**
 * What shows the newest of what it is given: a part at a time, each in a task of its own. A part that breaks is reported as an
 * error of the page; the others go on, and so does that one with what comes next.
 */
export function unhurried<T>(...parts: ((value: T) => void)[]): (value: T) => void {
  let newest: T;
  let busy = false;
  /** Gives what the first part was shown. The others get what is the newest by then. */
  const round = async () => {
    let first: T | undefined;
    for (const part of parts) {
      await leisure();
      if (part === parts[0]) first = newest;
      attempt(() => part(newest));
    }
    return first;
  };
  const settle = async () => {
    busy = true;
    // Parts may build on those before them.
    while ((await round()) !== newest);
    busy = false;
  };
  return (value) => {
    newest = value;
    if (!busy) void settle();
  };
}

function attempt(work: () => void): void {
  try {
    work();
  } catch (error) {
    reportError(error);
  }
}

/** Does what is good to have done, unless this visitor pays for every byte. */
export async function inAdvance(work: () => void): Promise<void> {
  await leisure();
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (!connection?.saveData) work();
}
