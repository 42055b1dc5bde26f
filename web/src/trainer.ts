/** Trains and evaluates a run's model on this machine. No network, no DOM. */

import { chooseBackend, type Choice } from "./backends";
import { Diverged } from "./errors";
import { buildModel, type Metrics, type Model, type Recipe } from "./model";
import type { BackendName, Encoding, LossName, Spec, Training } from "./protocol";
import { batch, permutation } from "./shuffle";
import { decodeCheckpoint, decodeShard, encodeDelta, type Column, type Encoded } from "./wire";

/** A shard as it came over the wire. The same `body` object means the same shard: it is decoded once. */
export interface Shard {
  body: ArrayBuffer;
  examples: number;
}

export interface StepReport extends Metrics {
  /** From 1. */
  step: number;
  examples: number;
  /** Time the step took, without any pause after it. */
  milliseconds: number;
}

/** Called after each step; may pause by returning a promise. False ends the training early, with what is done. */
export type AfterStep = (report: StepReport) => boolean | Promise<boolean>;

export interface TrainRequest {
  spec: Spec;
  checkpoint: ArrayBuffer;
  shard: Shard;
  seed: number;
  offset: number;
  training: Training;
  generation: number;
  afterStep: AfterStep;
}

export interface Trained extends Encoded, Metrics {
  steps: number;
  examples: number;
  encoding: Encoding;
}

export interface EvaluateRequest {
  spec: Spec;
  checkpoint: ArrayBuffer;
  shards: Shard[];
  batchSize: number;
  loss: LossName;
  /** As for training; steps count batches. */
  afterStep: AfterStep;
}

export interface Evaluated extends Metrics {
  examples: number;
}

export interface Trainer {
  /** Trains from the checkpoint and gives the difference. @throws Diverged, NoBackend, Corrupt */
  train(request: TrainRequest): Promise<Trained>;
  /** Null when `afterStep` ended it. @throws Diverged, NoBackend, Corrupt */
  evaluate(request: EvaluateRequest): Promise<Evaluated | null>;
  /** Forgets model, optimizer and backend: the next request starts afresh. */
  reset(): void;
}

export interface TrainerOptions {
  backend: BackendName | null;
  now(): number;
  onBackend(choice: Choice): void;
}

interface Loaded {
  key: string;
  model: Model;
}

/** A trainer that keeps the model, and the optimizer's state, from one request to the next. */
export function createTrainer(options: TrainerOptions): Trainer {
  const columnsOf = columnCache();
  const shuffled = permutationCache();
  let chosenFor: Spec | null = null;
  let loaded: Loaded | null = null;

  const reset = () => {
    loaded?.model.dispose();
    loaded = null;
    chosenFor = null;
  };

  const choose = async (spec: Spec, recipe: Recipe, columns: Column[], size: number, examples: Uint32Array) => {
    reset();
    const build = async () => {
      const model = await buildModel(spec, recipe);
      const step = async () => void (await model.step(columns, examples));
      return { step, dispose: () => model.dispose() };
    };
    options.onBackend(await chooseBackend({ spec, batch: size, build, now: options.now, only: options.backend }));
    chosenFor = spec;
  };

  const load = async (spec: Spec, recipe: Recipe, key: string): Promise<Model> => {
    if (loaded?.key === key) return loaded.model;
    loaded?.model.dispose();
    loaded = null;
    loaded = { key, model: await buildModel(spec, recipe) };
    return loaded.model;
  };

  return {
    reset,
    async train(request) {
      const { spec, training, shard, generation } = request;
      const columns = columnsOf(spec, shard);
      const order = shuffled(request.seed, shard.examples);
      const first = batch(order, request.offset, 0, training.batch_size);
      if (chosenFor !== spec) await choose(spec, training, columns, training.batch_size, first);
      // A rollback makes the optimizer's memory of the abandoned weights worthless.
      const model = await load(spec, training, `${recipeKey(training)} generation ${generation}`);
      return train(model, request, columns, order, options.now);
    },
    async evaluate(request) {
      const { spec, shards } = request;
      const recipe: Recipe = { optimizer: "sgd", learning_rate: 1, loss: request.loss };
      const columns = shards.map((shard) => columnsOf(spec, shard));
      if (chosenFor !== spec) {
        const size = Math.min(request.batchSize, shards[0]!.examples);
        await choose(spec, recipe, columns[0]!, size, Uint32Array.from({ length: size }, (_, i) => i));
      }
      const key = loaded?.key.startsWith(request.loss) ? loaded.key : recipeKey(recipe);
      const model = await load(spec, recipe, key);
      return evaluate(model, request, columns, options.now);
    },
  };
}

function recipeKey(recipe: Recipe): string {
  return `${recipe.loss} ${recipe.optimizer} ${recipe.learning_rate}`;
}

/** Shards keep their columns for as long as somebody keeps their bytes. */
function columnCache(): (spec: Spec, shard: Shard) => Column[] {
  const known = new WeakMap<ArrayBuffer, Column[]>();
  return (spec, shard) => {
    const columns = known.get(shard.body) ?? decodeShard([...spec.data.inputs, ...spec.data.targets], shard.body, shard.examples);
    known.set(shard.body, columns);
    return columns;
  };
}

function permutationCache(): (seed: number, n: number) => Uint32Array {
  let last: { seed: number; n: number; order: Uint32Array } = { seed: -1, n: -1, order: new Uint32Array() };
  return (seed, n) => {
    if (last.seed !== seed || last.n !== n) last = { seed, n, order: permutation(seed, n) };
    return last.order;
  };
}

async function train(
  model: Model,
  request: TrainRequest,
  columns: Column[],
  order: Uint32Array,
  now: () => number,
): Promise<Trained> {
  const { spec, training, offset } = request;
  const specs = spec.weightsManifest[0]!.weights;
  const size = training.batch_size;
  const base = decodeCheckpoint(specs, request.checkpoint);
  model.setWeights(base);
  let steps = 0;
  let metrics: Metrics = { loss: NaN, accuracy: 0 };
  for (let more = true; more && steps < training.local_steps; ) {
    const start = now();
    metrics = await model.step(columns, batch(order, offset, steps, size));
    steps++;
    if (!Number.isFinite(metrics.loss)) throw new Diverged(`the loss is ${metrics.loss} after ${steps} steps`);
    const answer = request.afterStep({ ...metrics, step: steps, examples: size, milliseconds: now() - start });
    more = typeof answer === "boolean" ? answer : await answer;
  }
  const delta = difference(await model.getWeights(), base);
  return { ...metrics, ...encodeDelta(specs, delta, training.encoding), steps, examples: steps * size, encoding: training.encoding };
}

/** Trained minus base, in place of trained. @throws Diverged */
function difference(trained: Float32Array, base: Float32Array): Float32Array {
  let total = 0;
  for (let i = 0; i < trained.length; i++) {
    trained[i]! -= base[i]!;
    total += trained[i]!;
  }
  // A sum of finite float32 numbers cannot leave the finite float64 numbers, so one test serves for all.
  if (!Number.isFinite(total)) throw new Diverged("the trained weights hold NaN or infinity");
  return trained;
}

async function evaluate(
  model: Model,
  request: EvaluateRequest,
  columns: Column[][],
  now: () => number,
): Promise<Evaluated | null> {
  model.setWeights(decodeCheckpoint(request.spec.weightsManifest[0]!.weights, request.checkpoint));
  const sum = { loss: 0, accuracy: 0, examples: 0 };
  let step = 0;
  for (const [i, shard] of request.shards.entries()) {
    for (let from = 0; from < shard.examples; from += request.batchSize) {
      const start = now();
      const examples = Math.min(request.batchSize, shard.examples - from);
      const rows = Uint32Array.from({ length: examples }, (_, row) => from + row);
      const found = await model.evaluate(columns[i]!, rows);
      sum.loss += found.loss * examples;
      sum.accuracy += found.accuracy * examples;
      sum.examples += examples;
      step++;
      if (!(await request.afterStep({ ...found, step, examples, milliseconds: now() - start }))) return null;
    }
  }
  if (!Number.isFinite(sum.loss)) throw new Diverged(`the loss of this checkpoint is ${sum.loss}`);
  return { loss: sum.loss / sum.examples, accuracy: sum.accuracy / sum.examples, examples: sum.examples };
}
