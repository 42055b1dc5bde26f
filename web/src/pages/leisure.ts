/** Waiting until a page has nothing better to do. */

/** Resolves in a task of its own, when there is time for it. */
export function leisure(): Promise<void> {
  // Safari has no such callback.
  if (typeof requestIdleCallback !== "function") return new Promise((resolve) => setTimeout(resolve, 50));
  return new Promise((resolve) => requestIdleCallback(() => resolve(), { timeout: 1000 }));
}

/** Does what is good to have done, unless this visitor pays for every byte. */
export async function inAdvance(work: () => void): Promise<void> {
  await leisure();
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (!connection?.saveData) work();
}
