/**
 * The merge rules of 2018, for clients that merge each other's weights: as `webnn/core/rules` has them, to the bit, held to
 * the same numbers by `tests/golden/rules.json`. Arithmetic is float32, one rounding after each operation.
 */

import type { PeerRule } from "./protocol";

/** A set of weights, and what a rule goes by. */
export interface Candidate {
  readonly weights: Float32Array;
  /** Training iterations behind the weights. */
  readonly steps: number;
  /** As its client validated it. */
  readonly accuracy: number | null;
}

/** A client's own weights with a peer's in them. Neither is changed. */
export function merge(rule: PeerRule, own: Candidate, peer: Candidate): Candidate {
  const steps = Math.max(own.steps, peer.steps);
  if (rule === "copy") return copied(own, peer, steps);
  return { ...own, weights: mixed(own.weights, peer.weights, shareOf(rule, own.steps, peer.steps)), steps };
}

/** What the peer's weights get of the result; below 0 the result moves away from them. */
function shareOf(rule: Exclude<PeerRule, "copy">, own: number, peer: number): number {
  switch (rule) {
    case "average":
      return 0.5;
    case "weighted":
      return peer / (own + peer);
    case "mimic": {
      const share = 1 / (Math.max(Math.abs(peer - own), 1) + 1);
      return peer > own ? share : -share;
    }
  }
}

function mixed(own: Float32Array, peer: Float32Array, share: number): Float32Array {
  const scalar = Math.fround(share);
  return own.map((value, i) => Math.fround(value + Math.fround(Math.fround(peer[i]! - value) * scalar)));
}

function copied(own: Candidate, peer: Candidate, steps: number): Candidate {
  const better = peer.accuracy !== null && peer.accuracy > (own.accuracy ?? 0);
  return better ? { ...peer, steps } : { ...own, steps };
}
