/** A worker, watched until it is known to work. */

import type { PageMessage, WorkerMessage } from "./messages";

/** Longer than its program takes to come over any line that could carry a model. */
const SILENCE_MS = 60_000;

/** What is asked of a worker: a browser's `Worker`, in words that a program without a page knows, too. */
export interface WorkerLike {
  postMessage(message: unknown): void;
  terminate(): void;
  addEventListener(type: string, listener: (event: unknown) => void): void;
}

export interface Employment {
  create(): WorkerLike;
  onMessage(message: WorkerMessage): void;
  /** It could not be loaded, broke, or never said a word; it has been let go. */
  onFailure(): void;
}

/** Who does the work. */
export interface Employee {
  say(message: PageMessage): void;
  dismiss(): void;
}

/** Null where a page may have no worker. */
export function employ({ create, onMessage, onFailure }: Employment): Employee | null {
  const worker = created(create);
  if (!worker) return null;
  const dismiss = () => {
    clearTimeout(watch);
    worker.terminate();
  };
  const fail = () => {
    dismiss();
    onFailure();
  };
  const watch = setTimeout(fail, SILENCE_MS);
  worker.addEventListener("message", (event) => {
    const { data } = event as MessageEvent<WorkerMessage>;
    clearTimeout(watch);
    if (data.type === "failed") fail();
    else onMessage(data);
  });
  for (const fault of ["error", "messageerror"]) worker.addEventListener(fault, fail);
  return { say: (message) => worker.postMessage(message), dismiss };
}

function created(create: () => WorkerLike): WorkerLike | null {
  try {
    return create();
  } catch {
    return null;
  }
}
