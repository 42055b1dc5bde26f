/** What an optimizer has learnt of the loss, as plain numbers: to be kept over a reload, and put back. */

import type { OptimizerName } from "./protocol";
import { tf, type Optimizer, type Tensor } from "./tf";

export interface Slot {
  shape: number[];
  values: Float32Array;
}

export interface OptimizerState {
  /** How many steps it has made. */
  steps: number;
  /** Its tensors, in an order of its own. */
  slots: Slot[];
}

/** A copy of what it remembers. */
export async function stateOf(optimizer: Optimizer): Promise<OptimizerState> {
  const [iterations, ...slots] = await optimizer.getWeights();
  const [steps, ...values] = await Promise.all([iterations!, ...slots].map(({ tensor }) => tensor.data()));
  // All others are the optimizer's own.
  iterations!.tensor.dispose();
  return { steps: steps![0]!, slots: slots.map(({ tensor }, i) => ({ shape: tensor.shape, values: Float32Array.from(values[i]!) })) };
}

/** Gives a new optimizer of weights of these shapes its memory back; false where the state is not one of its kind. */
export async function restore(optimizer: Optimizer, name: OptimizerName, shapes: readonly number[][], state: OptimizerState): Promise<boolean> {
  if (!fits(state, Array.from({ length: SLOTS[name] }, () => shapes).flat())) return false;
  const tensors: Tensor[] = [tf.scalar(state.steps, "int32"), ...state.slots.map(({ shape, values }) => tf.tensor(values, shape, "float32"))];
  await optimizer.setWeights(tensors.map((tensor, i) => ({ name: `slot${i}`, tensor })));
  tf.dispose(tensors);
  return true;
}

/** How many slots each optimizer has for each weight. */
const SLOTS: Record<OptimizerName, number> = { sgd: 0, momentum: 1, adam: 2, muon: 2 };

function fits({ steps, slots }: OptimizerState, shapes: readonly number[][]): boolean {
  if (!Number.isSafeInteger(steps) || steps < 1 || slots.length !== shapes.length) return false;
  return slots.every(({ shape, values }, i) => {
    const size = shape.reduce((product, side) => product * side, 1);
    return `${shape}` === `${shapes[i]!}` && values.length === size && values.every(Number.isFinite);
  });
}
