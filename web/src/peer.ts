/**
 * A client that is a peer: it goes on training weights of its own, and merges others' into them.
 *
 * It begins with the head. What it sends stands on the genesis, so that whoever takes it needs that one blob and the
 * update to know the weights. Nothing here is needed for anything to be merged on the server: whatever goes wrong with an
 * exchange, this client just trains on without.
 */

import type { Api } from "./api";
import { Refused } from "./errors";
import { merge, type Candidate } from "./merge";
import type { ClientEvent } from "./messages";
import type { PeerRule, PeerTraining, PeerUpdate, Spec, TensorSpec, TrainTask } from "./protocol";
import type { BlobCache } from "./shards";
import { sizeOf } from "./sizes";
import { decodeCheckpoint, decodeDelta } from "./wire";

/** More is not accepted of an update. */
const MOST_STEPS = 100_000;

export interface Company {
  api: Pick<Api, "download" | "exchange">;
  blobs: BlobCache;
  run: string;
  signal: AbortSignal;
  emit(event: ClientEvent): void;
}

/** Where a task begins, and what its update's delta is taken from. */
export interface Start {
  checkpoint: ArrayBuffer;
  origin: ArrayBuffer;
}

interface Life {
  own: Candidate;
  rule: PeerRule;
  generation: number;
  spec: Spec;
  genesis: ArrayBuffer;
}

export class Peer {
  private life: Life | null = null;
  private left: string | null = null;

  constructor(private readonly around: Company) {}

  /** The weights to go on from: its own, or the head's if it has none yet or the run was rolled back. */
  async start(task: TrainTask, training: PeerTraining, spec: Spec): Promise<Start> {
    if (this.life?.generation !== task.generation) this.life = await this.begin(task, training, spec);
    const { own, genesis } = this.life;
    return { checkpoint: own.weights.slice().buffer, origin: genesis };
  }

  /** Its own weights after a task. Gives what to announce of them. */
  trained(weights: Float32Array, steps: number, accuracy: number | null): number {
    const { life } = this;
    if (!life) return steps;
    life.own = { weights, steps: life.own.steps + steps, accuracy };
    return Math.min(life.own.steps, MOST_STEPS);
  }

  /** An update of this client has arrived. */
  sent(updateId: string): void {
    if (this.life) this.left = updateId;
  }

  /** Training went wrong: begin with the head again. */
  forget(): void {
    this.life = this.left = null;
  }

  /** Leaves what was sent for others, and merges what is given for it. @throws Refused when the token is none any more */
  async meet(token: string): Promise<void> {
    const { left, life } = this;
    if (left === null || !life) return;
    this.left = null;
    try {
      const { peer } = await this.around.api.exchange(this.around.run, token, left, this.around.signal);
      if (peer) await this.merge(life, peer);
    } catch (error) {
      this.around.signal.throwIfAborted();
      if (error instanceof Refused && error.code === "unauthorized") throw error;
    }
  }

  private async begin(task: TrainTask, { rule, genesis, steps }: PeerTraining, spec: Spec): Promise<Life> {
    const { api, blobs, signal } = this.around;
    const [head, first] = await Promise.all([api.download(task.checkpoint, signal), blobs.get(genesis, signal)]);
    const weights = decodeCheckpoint(spec.weightsManifest[0]!.weights, head);
    return { own: { weights, steps, accuracy: null }, rule, generation: task.generation, spec, genesis: first };
  }

  private async merge(life: Life, update: PeerUpdate): Promise<void> {
    const specs = life.spec.weightsManifest[0]!.weights;
    const body = await this.around.api.download(update.body, this.around.signal);
    const delta = decodeDelta(specs, body, update.encoding, update.quantization);
    const weights = decodeCheckpoint(specs, life.genesis).map((value, i) => value + delta[i]!);
    const merged = merge(life.rule, life.own, { weights, steps: update.local_steps, accuracy: update.accuracy });
    if (!merged.weights.every(Number.isFinite)) return; // somebody's training went wrong
    holdVariances(specs, merged.weights);
    life.own = merged;
    this.around.emit({ type: "met", updateId: update.update_id, steps: merged.steps });
  }
}

/** At 0 or above, as in the head: 8 bits for each weight may take one below, and such a model gives NaN. In place. */
function holdVariances(specs: readonly TensorSpec[], weights: Float32Array): void {
  let start = 0;
  for (const spec of specs) {
    const end = start + sizeOf(spec);
    if (spec.name.endsWith("/moving_variance")) weights.subarray(start, end).forEach((value, i, all) => (all[i] = Math.max(value, 0)));
    start = end;
  }
}
