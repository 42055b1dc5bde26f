/** All that is known of a run's history, in the order in which it happened. It only grows. */

import type { Measure, Move } from "./live";
import type { Commit, Evaluation, History } from "./protocol";
import type { Totals } from "./follow";

/** An evaluation comes later than its version; further back than this it is not looked for. */
const LOOK_BACK = 300;
const STALENESS_COUNTS = 65;

export class Chronicle {
  moves: Move[] = [];
  evaluations: Measure[] = [];
  totals: Totals = { updates: 0, examples: 0, bytes: 0, checkpointBytes: 0, staleness: [] };

  /** Where to begin asking: before anything that may still be evaluated. */
  get after(): number {
    const [last, evaluated] = [this.version, this.evaluations.at(-1)?.version ?? -1];
    return Math.max(Math.min(last, evaluated), last - LOOK_BACK, -1);
  }

  /** The last that is known; -1: none. */
  get version(): number {
    return this.moves.at(-1)?.version ?? -1;
  }

  /** Forgets all; whoever holds the arrays keeps them as they were. */
  clear(): void {
    this.moves = [];
    this.evaluations = [];
    this.totals = { updates: 0, examples: 0, bytes: 0, checkpointBytes: 0, staleness: [] };
  }

  /** Adds what is new of these. */
  add(moves: readonly Move[], evaluations: readonly Measure[]): void {
    for (const move of moves) if (move.version > this.version) this.moves.push(move);
    const evaluated = this.evaluations.at(-1)?.version ?? -1;
    this.evaluations.push(...evaluations.filter(({ version }) => version > evaluated));
  }

  /** The same of a page of the API's history, and adds it up. */
  addHistory({ commits, evaluations }: History): void {
    const fresh = commits.filter(({ version }) => version > this.version);
    this.totals = fresh.reduce(plus, this.totals);
    this.add(fresh.map(moveOf), evaluations.map(measureOf));
  }
}

function measureOf({ version, at, loss, accuracy }: Evaluation): Measure {
  return { version, at, loss, accuracy };
}

function moveOf(commit: Commit): Move {
  const { version, from_version: fromVersion, at, steps, generation, clients, examples, bytes, staleness, discounts } = commit;
  const updates = staleness.length;
  return {
    kind: kindOf(commit),
    version,
    fromVersion,
    at,
    steps,
    generation,
    updates,
    clients,
    examples,
    bytes,
    checkpointBytes: commit.checkpoint_bytes,
    staleness: updates > 0 ? [Math.min(...staleness), Math.max(...staleness)] : null,
    discount: updates > 0 ? discounts.reduce((sum, value) => sum + value, 0) / updates : null,
    restores: commit.restores,
    leftOut: commit.left_out,
    note: commit.note,
  };
}

function kindOf({ version, restores, left_out }: Commit): Move["kind"] {
  if (version === 0) return "genesis";
  if (restores !== null) return "rollback";
  return left_out === null ? "commit" : "unmerge";
}

function plus(totals: Totals, { examples, bytes, checkpoint_bytes, staleness }: Commit): Totals {
  const counts = [...totals.staleness];
  for (const value of staleness) {
    const place = Math.min(value, STALENESS_COUNTS - 1);
    while (counts.length <= place) counts.push(0);
    counts[place]! += 1;
  }
  return {
    updates: totals.updates + staleness.length,
    examples: totals.examples + examples,
    bytes: totals.bytes + bytes,
    checkpointBytes: totals.checkpointBytes + checkpoint_bytes,
    staleness: counts,
  };
}
