/** Follows a run's history: asks for what is new, keeps what is known. */

import { backoff, type Clock } from "../clock";
import type { Api } from "../api";
import type { Commit, Evaluation, Head, Status } from "../protocol";

export interface Story {
  status: Status;
  head: Head;
  clients: number;
  /** Oldest first. */
  commits: Commit[];
  evaluations: Evaluation[];
}

export interface Follow {
  api: Pick<Api, "getHistory">;
  clock: Clock;
  run: string;
  onStory(story: Story): void;
  /** The server does not answer; null when it does again. */
  onTrouble(message: string | null): void;
  hidden(): boolean;
  signal: AbortSignal;
}

const PAUSE_MS = 2000;
const HIDDEN_PAUSE_MS = 15_000;
/** An evaluation comes later than its version; further back than this it is not looked for. */
const LOOK_BACK = 300;

/** Runs until the run is finished or the signal aborts. */
export async function follow(options: Follow): Promise<void> {
  const { clock, signal } = options;
  const known = new Known();
  for (let failures = 0; ; ) {
    try {
      const status = await catchUp(options, known);
      options.onTrouble(null);
      if (status === "finished") return;
      failures = 0;
      await clock.sleep(options.hidden() ? HIDDEN_PAUSE_MS : PAUSE_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      failures++;
      options.onTrouble(error instanceof Error ? error.message : String(error));
      await clock.sleep(backoff(failures, () => clock.random(), 2000, 60_000), signal).catch(() => undefined);
    }
  }
}

/** Everything by version. Versions never repeat: what was known before a rollback stays true. */
class Known {
  private readonly commits = new Map<number, Commit>();
  private readonly evaluations = new Map<number, Evaluation>();

  /** Where to begin asking: before anything that may still be evaluated. */
  get after(): number {
    const commit = lastKey(this.commits);
    return Math.max(Math.min(commit, lastKey(this.evaluations)), commit - LOOK_BACK, -1);
  }

  add(commits: readonly Commit[], evaluations: readonly Evaluation[]): void {
    for (const commit of commits) this.commits.set(commit.version, commit);
    for (const evaluation of evaluations) this.evaluations.set(evaluation.version, evaluation);
  }

  story(): Pick<Story, "commits" | "evaluations"> {
    const byVersion = (a: { version: number }, b: { version: number }) => a.version - b.version;
    return {
      commits: [...this.commits.values()].sort(byVersion),
      evaluations: [...this.evaluations.values()].sort(byVersion),
    };
  }
}

function lastKey(map: ReadonlyMap<number, unknown>): number {
  let last = -1;
  for (const key of map.keys()) last = Math.max(last, key);
  return last;
}

async function catchUp({ api, run, onStory, signal }: Follow, known: Known): Promise<Status> {
  let status: Status = "running";
  for (let after: number | null = known.after; after !== null; ) {
    const page = await api.getHistory(run, after, signal);
    const { head, clients } = page;
    status = page.status;
    known.add(page.commits, page.evaluations);
    onStory({ status, head, clients, ...known.story() });
    // A page that leads nowhere new is the last, whatever it says.
    after = page.next_after !== null && page.next_after > after ? page.next_after : null;
  }
  return status;
}
