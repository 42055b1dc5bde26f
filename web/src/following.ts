/** Following a run as it goes on, with no more to say than which. */

import { createApi } from "./api";
import { systemClock } from "./clock";
import { follow as followBy, type Story } from "./follow";
import type { Run } from "./run";

export interface FollowOptions {
  /** At every change. */
  onStory(story: Story): void;
  /** Nothing answers, or (`gone`) there is no such run any more; null when all is well again. */
  onTrouble?(message: string | null, gone: boolean): void;
  /** Nobody looks: ask less often. */
  hidden?(): boolean;
  /** Takes, once, what looks again at once, for whoever knows that something happened. */
  onWake?(wake: () => void): void;
  signal?: AbortSignal;
}

/** Tells a run's story, and goes on telling what is new until the signal aborts. */
export function follow(run: Run, options: FollowOptions): Promise<void> {
  const { onStory, onTrouble = () => undefined, hidden = () => false, signal = new AbortController().signal } = options;
  const { run: name, live } = run.description;
  const api = createApi({ base: run.api, clock: systemClock });
  const onWake = (wake: () => void) => {
    options.onWake?.(wake);
    return whenSeen(wake);
  };
  return followBy({ api, live, clock: systemClock, run: name, onStory, onTrouble, hidden, signal, onWake });
}

/** Looks again at once when the page is seen again or the network is back, where there is a page. */
function whenSeen(wake: () => void): () => void {
  const { document } = globalThis as { document?: Document };
  if (!document) return () => undefined;
  const leaving = new AbortController();
  document.addEventListener("visibilitychange", () => document.hidden || wake(), leaving);
  addEventListener("online", wake, leaving);
  return () => leaving.abort();
}
