/**
 * Muon: momentum whose matrices are made orthogonal, so that every direction in them is learnt at the same speed
 * (Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024). Steps have one length whatever the
 * gradients', so one learning rate does for most models. `webnn/simulate/optimizers.py` is the same in numpy, and
 * `tests/golden/optimizers.json` holds both to the same numbers.
 *
 * What is no matrix (biases, scales) is stepped by Adam, half as far. A kernel of more than two axes counts as a matrix
 * of all its inputs by its outputs. Where both sides of a matrix are long, making it orthogonal would take longer than
 * the gradient did: it is stepped by Adam, too.
 */

import { tf, type Tensor, type Variable } from "./tf";

const MOMENTUM = 0.9;
const SQUARES = 0.99;
const EPSILON = 1e-8;
/** What Adam's steps are scaled by here. */
const VECTORS = 0.5;
/** The longest shorter side of a matrix that is made orthogonal. */
const LONGEST = 512;
const [A, B, C] = [3.4445, -4.775, 2.0315] as const;
const ITERATIONS = 5;

interface Named {
  name: string;
  tensor: Tensor;
}

interface Slots {
  mean: Variable;
  square: Variable;
}

/** A TF.js optimizer. */
export class Muon extends tf.Optimizer {
  static get className(): string {
    return "Muon"; // not of the class: minified names collide
  }

  private readonly slots = new Map<string, Slots>();
  private steps = 0;
  /** Slots of before, for the weights in the order in which they are first stepped. */
  private earlier: Slots[] = [];

  constructor(private rate: number) {
    super();
  }

  setLearningRate(rate: number): void {
    this.rate = rate;
  }

  override applyGradients(gradients: Record<string, Tensor> | Named[]): void {
    this.steps += 1;
    const list = Array.isArray(gradients) ? gradients : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
    for (const { name, tensor } of list) {
      const variable = tf.engine().registeredVariables[name]!;
      tf.tidy(() => {
        variable.assign(tf.sub(variable, tf.mul(this.direction(name, tensor), this.rate)));
      });
    }
  }

  /** Its steps; the means; the squares. */
  override getWeights(): Promise<Named[]> {
    const slots = [...this.slots.values()];
    const tensors = [tf.scalar(this.steps, "int32"), ...slots.map(({ mean }) => mean), ...slots.map(({ square }) => square)];
    return Promise.resolve(tensors.map((tensor, i) => ({ name: `slot${i}`, tensor })));
  }

  /** Takes up where another one was, before any step of its own. */
  override async setWeights([steps, ...slots]: Named[]): Promise<void> {
    this.steps = (await steps!.tensor.data())[0]!;
    const own = slots.map(({ tensor }) => tf.keep(tf.variable(tensor, false)));
    const count = own.length / 2;
    this.earlier = own.slice(0, count).map((mean, i) => ({ mean, square: own[count + i]! }));
  }

  override dispose(): void {
    for (const { mean, square } of [...this.slots.values(), ...this.earlier]) tf.dispose([mean, square]);
    this.slots.clear();
    this.earlier = [];
    super.dispose();
  }

  override getConfig(): { rate: number } {
    return { rate: this.rate };
  }

  private direction(name: string, gradient: Tensor): Tensor {
    const { mean, square } = this.slotsOf(name, gradient.shape);
    mean.assign(tf.add(tf.mul(mean, MOMENTUM), tf.mul(gradient, 1 - MOMENTUM)));
    square.assign(tf.add(tf.mul(square, SQUARES), tf.mul(tf.square(gradient), 1 - SQUARES)));
    if (isMatrix(gradient.shape)) {
      const ahead = tf.add(tf.mul(mean, MOMENTUM), tf.mul(gradient, 1 - MOMENTUM));
      return tf.reshape(orthogonal(tf.reshape(ahead, [-1, gradient.shape.at(-1)!])), gradient.shape);
    }
    const corrected = tf.div(mean, 1 - MOMENTUM ** this.steps);
    const length = tf.add(tf.sqrt(tf.div(square, 1 - SQUARES ** this.steps)), EPSILON);
    return tf.mul(tf.div(corrected, length), VECTORS);
  }

  private slotsOf(name: string, shape: number[]): Slots {
    const known = this.slots.get(name);
    if (known) return known;
    // Not within the tidy around a step, or they would be gone with it.
    const fresh = this.earlier.shift() ?? { mean: tf.keep(tf.variable(tf.zeros(shape), false)), square: tf.keep(tf.variable(tf.zeros(shape), false)) };
    this.slots.set(name, fresh);
    return fresh;
  }
}

function isMatrix(shape: readonly number[]): boolean {
  if (shape.length < 2) return false;
  const columns = shape.at(-1)!;
  const rows = shape.reduce((product, side) => product * side, 1) / columns;
  return Math.min(rows, columns) <= LONGEST;
}

/** Nearly U Vᵀ of a matrix U S Vᵀ, times √(rows / columns) where there are more rows. */
function orthogonal(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.shape as [number, number];
  const tall = rows > columns;
  let x = tf.div(tall ? tf.transpose(matrix) : matrix, tf.add(tf.norm(matrix), 1e-7));
  for (let i = 0; i < ITERATIONS; i++) {
    const gram = tf.matMul(x, x, false, true);
    const mixed = tf.add(tf.mul(gram, B), tf.mul(tf.matMul(gram, gram), C));
    x = tf.add(tf.mul(x, A), tf.matMul(mixed, x));
  }
  return tall ? tf.mul(tf.transpose(x), Math.sqrt(rows / columns)) : x;
}
