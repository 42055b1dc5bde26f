/** One run's model on the current backend: weights in and out as one vector, steps, evaluation. */

import { BadSpec } from "./errors";
import { Muon } from "./muon";
import { restore, stateOf, type OptimizerState } from "./optimizer_state";
import type { LossName, OptimizerName, Spec, TensorSpec } from "./protocol";
import { sizeOf } from "./sizes";
import { models, tf, type LayersModel, type Optimizer, type Tensor } from "./tf";
import { gather, type Column } from "./wire";

/** What decides how a model is compiled. */
export interface Recipe {
  optimizer: OptimizerName;
  learning_rate: number;
  loss: LossName;
}

export interface Metrics {
  loss: number;
  accuracy: number;
}

/** Accuracy is null where it was not asked for. */
export interface StepMetrics {
  loss: number;
  accuracy: number | null;
}

export interface Model {
  /** Takes a vector over all weights, in the order of the spec. */
  setWeights(vector: Float32Array): void;
  getWeights(): Promise<Float32Array>;
  /** The learning rate from now on; what the optimizer remembers stays. */
  setRate(rate: number): void;
  /** What the optimizer remembers. */
  memory(): Promise<OptimizerState>;
  /** Gives a model that has made no step yet the memory of one before; false where that was another model's. */
  recall(memory: OptimizerState): Promise<boolean>;
  /** The length of each output's last axis. */
  readonly widths: number[];
  /** One step of the optimizer on these examples; the metrics are those before the step. Accuracy costs time. */
  step(columns: readonly Column[], examples: ArrayLike<number>, withAccuracy: boolean): Promise<StepMetrics>;
  /** Mean loss and accuracy on these examples. */
  evaluate(columns: readonly Column[], examples: ArrayLike<number>): Promise<Metrics>;
  dispose(): void;
}

export const OPTIMIZERS: Record<OptimizerName, (rate: number) => Optimizer> = {
  sgd: (rate) => tf.train.sgd(rate),
  momentum: (rate) => tf.train.momentum(rate, 0.9),
  adam: (rate) => tf.train.adam(rate),
  muon: (rate) => new Muon(rate),
};

/**
 * Builds and compiles the model of a spec on the current backend. What fails leaves nothing behind.
 *
 * @throws BadSpec when topology and weights do not belong together.
 */
export async function buildModel(spec: Spec, recipe: Recipe): Promise<Model> {
  const optimizer = optimizerOf(recipe);
  return cleanly(async () => {
    const layers = await models.modelFromJSON({ modelTopology: spec.modelTopology as never });
    layers.compile({ optimizer, loss: recipe.loss, metrics: ["accuracy"] });
    return modelOf(layers, optimizer, recipe.optimizer, spec);
  }).catch((error: unknown) => {
    letGo(optimizer);
    throw error;
  });
}

/** Builds what, if it fails, leaves no variable behind. */
export async function cleanly<T>(build: () => Promise<T>): Promise<T> {
  const known = new Set(allVariables());
  try {
    return await build();
  } catch (error) {
    // Layers that were made before one failed are in nobody's hands, so their variables are what is new since.
    for (const variable of allVariables()) if (!known.has(variable)) variable.dispose();
    throw error;
  }
}

function optimizerOf({ optimizer: name, learning_rate }: Recipe): Optimizer {
  if (!Object.hasOwn(OPTIMIZERS, name)) throw new BadSpec(`this page does not know the optimizer ${name}`);
  return OPTIMIZERS[name](learning_rate);
}

/** TF.js's momentum forgets the scalar that it has from being an SGD, too. */
function letGo(optimizer: Optimizer): void {
  optimizer.dispose();
  (optimizer as { c?: Tensor }).c?.dispose();
}

function setRate(optimizer: Optimizer, rate: number): void {
  // Sgd and momentum have a method for it, and Muon; Adam keeps a number that it reads at every step.
  const open = optimizer as unknown as { learningRate: number; setLearningRate?: (rate: number) => void };
  if (open.setLearningRate) open.setLearningRate(rate);
  else open.learningRate = rate;
}

const allVariables = () => Object.values(tf.engine().registeredVariables);

function modelOf(layers: LayersModel, optimizer: Optimizer, name: OptimizerName, spec: Spec): Model {
  const specs = spec.weightsManifest[0]!.weights;
  const variables = variablesOf(layers, specs);
  const inputs = spec.data.inputs.length;
  const metrics = layers.metricsTensors;

  return {
    setWeights: (vector) => assign(variables, specs, vector),
    getWeights: () => read(variables, specs),
    setRate: (rate) => setRate(optimizer, rate),
    memory: () => stateOf(optimizer),
    recall: (memory) => restore(optimizer, name, layers.trainableWeights.map(({ shape }) => shape as number[]), memory),
    widths: layers.outputs.map(({ shape }) => shape.at(-1) ?? 1),
    step: (columns, examples, withAccuracy) =>
      withTensors(columns, inputs, examples, async (tensors) => {
        // Compiled in, metrics are worked out at every step; of a small net's step that is an eighth.
        layers.metricsTensors = withAccuracy ? metrics : [];
        const found = await layers.trainOnBatch(tensors.slice(0, inputs), tensors.slice(inputs));
        layers.metricsTensors = metrics;
        return withAccuracy ? metricsOf(layers, found, examples.length) : { loss: totalOf(found), accuracy: null };
      }),
    evaluate: (columns, examples) =>
      withTensors(columns, inputs, examples, async (tensors) => {
        const found = layers.evaluate(tensors.slice(0, inputs), tensors.slice(inputs), { batchSize: examples.length });
        // Of several outputs, TF.js gives the sum of the losses after each: the last is the total that its names begin with.
        return metricsOf(layers, (await readAll(found)).slice(layers.outputs.length - 1), examples.length);
      }),
    dispose: () => {
      layers.dispose();
      letGo(optimizer);
    },
  };
}

export type Variable = LayersModel["weights"][number];

/** The variables of a model, in the order of the manifest. @throws BadSpec when they do not belong together */
export function variablesOf(layers: LayersModel, specs: readonly TensorSpec[]): Variable[] {
  const byName = new Map(layers.weights.map((variable) => [variable.originalName, variable]));
  if (byName.size !== specs.length) {
    throw new BadSpec(`the topology has ${byName.size} weights, the manifest ${specs.length}`);
  }
  return specs.map((spec) => {
    const variable = byName.get(spec.name);
    if (!variable) throw new BadSpec(`the topology has no weight ${spec.name}`);
    if (`${variable.shape}` !== `${spec.shape}`) {
      throw new BadSpec(`weight ${spec.name} has shape [${variable.shape}] in the topology, [${spec.shape}] in the manifest`);
    }
    return variable;
  });
}

/** Sets all weights. */
export function assign(variables: readonly Variable[], specs: readonly TensorSpec[], vector: Float32Array): void {
  let start = 0;
  variables.forEach((variable, i) => {
    const end = start + sizeOf(specs[i]!);
    // A copy: a backend may keep the array it is given.
    const tensor = tf.tensor(vector.slice(start, end), specs[i]!.shape, "float32");
    variable.write(tensor);
    tensor.dispose();
    start = end;
  });
}

async function read(variables: readonly Variable[], specs: readonly TensorSpec[]): Promise<Float32Array> {
  const parts = await Promise.all(variables.map((variable) => variable.read().data<"float32">()));
  const vector = new Float32Array(specs.reduce((sum, spec) => sum + sizeOf(spec), 0));
  let start = 0;
  for (const part of parts) {
    vector.set(part, start);
    start += part.length;
  }
  return vector;
}

async function withTensors<T>(
  columns: readonly Column[],
  inputs: number,
  examples: ArrayLike<number>,
  use: (tensors: Tensor[]) => Promise<T>,
): Promise<T> {
  const tensors = columns.map((column, i) => {
    // Layers want at least one axis beside the examples, and targets, class indices too, in float32.
    const shape = [examples.length, ...(column.spec.shape.length > 0 ? column.spec.shape : [1])];
    const values = gather(column, examples);
    return i < inputs ? tf.tensor(values, shape, column.spec.dtype) : tf.tensor(new Float32Array(values), shape);
  });
  try {
    return await use(tensors);
  } finally {
    tf.dispose(tensors);
  }
}

async function readAll(scalars: Tensor | Tensor[]): Promise<number[]> {
  const list = Array.isArray(scalars) ? scalars : [scalars];
  const values = await Promise.all(list.map((scalar) => scalar.data()));
  tf.dispose(list);
  return values.map((value) => value[0]!);
}

function totalOf(values: number | number[]): number {
  return Array.isArray(values) ? values[0]! : values;
}

/** The total loss, and the mean accuracy over the outputs. */
function metricsOf(layers: LayersModel, values: number | number[], examples: number): Metrics {
  const list = Array.isArray(values) ? values : [values];
  // What arrives is a count over the number of examples, rounded to float32: undone, sums over batches are exact.
  const exact = (value: number) => Math.round(value * examples) / examples;
  const accuracies = list.filter((_, i) => layers.metricsNames[i]!.endsWith("acc")).map(exact);
  return { loss: totalOf(values), accuracy: accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length };
}
