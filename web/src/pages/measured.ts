/** How good the weights are that a run has now. */

import type { Measure, Story } from "../index";

/**
 * The newest evaluation since the head last went elsewhere than on; before that, the one of what a rollback brought back. Null
 * where there is neither: what was measured before a reset says nothing of the weights after it.
 */
export function measured({ head, moves, evaluations }: Pick<Story, "head" | "moves" | "evaluations">): Measure | null {
  const newest = evaluations.at(-1) ?? null;
  const made = newest && moves.findLast(({ version }) => version <= newest.version);
  if (!made || made.generation >= head.generation) return newest;
  const restores = moves.at(-1)?.restores ?? null;
  return restores === null ? null : (evaluations.findLast(({ version }) => version === restores) ?? null);
}
