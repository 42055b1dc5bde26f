/** When what an optimizer remembers is kept for the time after a reload, and brought back. No failure of it matters. */

import type { Model } from "./model";
import type { Kept, States } from "./states";

/** So often at most, and less often where it takes long. */
const PAUSE_MS = 10_000;
const LARGEST_SHARE = 0.02;
/** More is not worth the visitor's disk. */
const MOST_BYTES = 128 * 2 ** 20;

/** What a state belongs to. */
export type Belonging = Pick<Kept, "recipe" | "generation">;

export interface KeepingOptions {
  states: States;
  now(): number;
  /** An optimizer goes on after so many steps of before. */
  onRestored(steps: number): void;
}

export class Keeping {
  private next: number;

  constructor(private readonly options: KeepingOptions) {
    this.next = options.now() + PAUSE_MS;
  }

  /** Is it time to keep again? */
  get due(): boolean {
    return this.options.now() >= this.next;
  }

  /** Gives a new model's optimizer back what was kept of it. */
  async recall(model: Model, { recipe, generation }: Belonging): Promise<void> {
    const kept = await this.options.states.load().catch(() => null);
    if (kept?.recipe !== recipe || kept.generation !== generation) return;
    if (await model.recall(kept)) this.options.onRestored(kept.steps);
  }

  /** Resolves when the model may go on; storage may still be at it. */
  async keep(model: Model, belonging: Belonging): Promise<void> {
    const { states, now } = this.options;
    const start = now();
    const memory = await model.memory();
    const bytes = memory.slots.reduce((sum, { values }) => sum + values.byteLength, 0);
    this.next = now() + Math.max(PAUSE_MS, (now() - start) / LARGEST_SHARE);
    if (memory.steps > 0 && bytes > 0 && bytes <= MOST_BYTES) await states.save({ ...memory, ...belonging }).catch(() => undefined);
  }

  /** What was kept is worth nothing. */
  async drop(): Promise<void> {
    await this.options.states.drop().catch(() => undefined);
  }
}
