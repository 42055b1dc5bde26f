/** Trains and evaluates a run's model on this machine. No network, no DOM. */

import { chooseBackend, type Choice } from "./backends";
import { Diverged } from "./errors";
import type { Belonging, Keeping } from "./keeping";
import { buildModel, type Metrics, type Model, type Recipe, type StepMetrics } from "./model";
import { checkClasses } from "./own";
import type { BackendName } from "./messages";
import type { Encoding, LossName, Spec, TensorSpec, Training } from "./protocol";
import { batch, permutation } from "./shuffle";
import type { Turns } from "./turns";
import { decodeCheckpoint, decodeShard, encodeDelta, type Column, type Encoded } from "./wire";

/** A shard as it came over the wire. The same `body` object means the same shard: it is decoded once. */
export interface Shard {
  body: ArrayBuffer;
  examples: number;
  /** How its tensors are stored, where that is not as the spec says. */
  specs?: readonly TensorSpec[];
}

export interface StepReport extends StepMetrics {
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
  /** What the difference is taken from, if not the checkpoint; then the trained weights are given, too. */
  origin?: ArrayBuffer;
  afterStep: AfterStep;
}

export interface Trained extends Encoded, StepMetrics {
  /** Null unless there is an origin. */
  weights: Float32Array | null;
  steps: number;
  examples: number;
  encoding: Encoding;
  /** Time that computing took after the last step. */
  afterwardsMs: number;
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
  /** Trains from the checkpoint and gives the difference. @throws Diverged, NoBackend, BadSpec, Corrupt */
  train(request: TrainRequest): Promise<Trained>;
  /** Null when `afterStep` ended it. @throws Diverged, NoBackend, BadSpec, Corrupt */
  evaluate(request: EvaluateRequest): Promise<Evaluated | null>;
  /** Keeps what the optimizer remembers, where it outlives the page. */
  save(): Promise<void>;
  /** What was kept is worth nothing. */
  drop(): Promise<void>;
  /** Forgets model, optimizer and backend: the next request starts afresh. */
  reset(): void;
}

export interface TrainerOptions {
  backend: BackendName | null;
  now(): number;
  turns: Turns;
  /** Keeps what the optimizer remembers over a reload; null: nothing does. */
  keeping: Keeping | null;
  onBackend(choice: Choice): void;
}

/** A trainer that keeps the model, and the optimizer's state, from one request to the next. */
export function createTrainer(options: TrainerOptions): Trainer {
  return new LocalTrainer(options);
}

class LocalTrainer implements Trainer {
  private readonly columnsOf = columnCache();
  private readonly shuffled = permutationCache();
  /** The spec that the current backend was chosen for. */
  private chosenFor: Spec | null = null;
  private loaded: Loaded | null = null;

  constructor(private readonly options: TrainerOptions) {}

  reset(): void {
    this.chosenFor = null;
    this.unload();
  }

  train(request: TrainRequest): Promise<Trained> {
    return this.options.turns.alone(async () => {
      const { spec, training, shard, generation } = request;
      const columns = this.columnsOf(spec, shard);
      const order = this.shuffled(request.seed, shard.examples);
      await this.choose(spec, training, columns, batch(order, request.offset, 0, training.batch_size));
      const model = await this.loadForTraining(spec, training, generation);
      if (shard.specs && training.loss === "sparseCategoricalCrossentropy") {
        const inputs = spec.data.inputs.length;
        checkClasses(spec.data.targets, columns.slice(inputs).map(({ stored }) => stored), model.widths);
      }
      // Not part of the key: a rate that falls with the run's versions must not cost what the optimizer remembers.
      model.setRate(training.learning_rate);
      const trained = await train(model, this.lending(request), columns, order, this.options.now);
      if (this.options.keeping?.due) await this.keep();
      return trained;
    });
  }

  evaluate(request: EvaluateRequest): Promise<Evaluated | null> {
    return this.options.turns.alone(async () => {
      const { spec, shards, loss } = request;
      const recipe: Recipe = { optimizer: "sgd", learning_rate: 1, loss };
      const columns = shards.map((shard) => this.columnsOf(spec, shard));
      const size = Math.min(request.batchSize, shards[0]!.examples);
      await this.choose(spec, recipe, columns[0]!, Uint32Array.from({ length: size }, (_, i) => i));
      // A model compiled for training serves too, and its optimizer is not touched.
      const key = this.loaded?.key.startsWith(`${loss} `) ? this.loaded.key : recipeKey(recipe);
      const model = await this.load(spec, recipe, key);
      return evaluate(model, this.lending(request), columns, this.options.now);
    });
  }

  save(): Promise<void> {
    return this.options.turns.alone(() => this.keep());
  }

  async drop(): Promise<void> {
    await this.options.keeping?.drop();
  }

  /** Pauses are others' turns. */
  private lending<T extends { afterStep: AfterStep }>(request: T): T {
    const afterStep: AfterStep = (report) => {
      const answer = request.afterStep(report);
      return typeof answer === "boolean" ? answer : this.options.turns.during(answer);
    };
    return { ...request, afterStep };
  }

  private async choose(spec: Spec, recipe: Recipe, columns: Column[], examples: Uint32Array): Promise<void> {
    if (this.chosenFor === spec) return;
    this.reset();
    const build = async () => {
      const model = await buildModel(spec, recipe);
      return { step: () => model.step(columns, examples, false), dispose: () => model.dispose() };
    };
    const { now, backend: only, onBackend } = this.options;
    onBackend(await chooseBackend({ spec, batch: examples.length, build, now, only }));
    this.chosenFor = spec;
  }

  private async loadForTraining(spec: Spec, recipe: Recipe, generation: number): Promise<Model> {
    // A rollback makes the optimizer's memory of the abandoned weights worthless.
    const belonging = { recipe: recipeKey(recipe), generation };
    const key = `${belonging.recipe} generation ${generation}`;
    if (this.loaded?.key === key) return this.loaded.model;
    const model = await this.load(spec, recipe, key);
    await this.options.keeping?.recall(model, belonging);
    this.loaded = { key, model, belonging };
    return model;
  }

  private async load(spec: Spec, recipe: Recipe, key: string): Promise<Model> {
    if (this.loaded?.key === key) return this.loaded.model;
    this.unload();
    this.loaded = { key, model: await buildModel(spec, recipe), belonging: null };
    return this.loaded.model;
  }

  private async keep(): Promise<void> {
    const { loaded } = this;
    // A lost GPU gives nothing back, and that is for the next step to find.
    if (loaded?.belonging) await this.options.keeping?.keep(loaded.model, loaded.belonging).catch(() => undefined);
  }

  private unload(): void {
    const { loaded } = this;
    // Forgotten first: on a lost GPU even giving back may fail, and must not be tried for ever.
    this.loaded = null;
    loaded?.model.dispose();
  }
}

interface Loaded {
  key: string;
  model: Model;
  /** Null: it was not trained. */
  belonging: Belonging | null;
}

function recipeKey(recipe: Recipe): string {
  return `${recipe.loss} ${recipe.optimizer}`;
}

/** Shards keep their columns for as long as somebody keeps their bytes. */
function columnCache(): (spec: Spec, shard: Shard) => Column[] {
  const known = new WeakMap<ArrayBuffer, Column[]>();
  return (spec, shard) => {
    const columns = known.get(shard.body) ?? decodeShard(shard.specs ?? [...spec.data.inputs, ...spec.data.targets], shard.body, shard.examples);
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
  // The first step's time is also that of what comes before it.
  let start = now();
  model.setWeights(base);
  let steps = 0;
  let metrics: StepMetrics = { loss: NaN, accuracy: null };
  for (let more = true; more && steps < training.local_steps; start = now()) {
    const last = steps + 1 === training.local_steps;
    metrics = await model.step(columns, batch(order, offset, steps, size), last);
    steps++;
    if (!Number.isFinite(metrics.loss)) throw new Diverged(`the loss is ${metrics.loss} after ${steps} steps`);
    const answer = request.afterStep({ ...metrics, step: steps, examples: size, milliseconds: now() - start });
    more = typeof answer === "boolean" ? answer : await answer;
  }
  const trained = await model.getWeights();
  const weights = request.origin ? trained.slice() : null;
  const delta = difference(trained, request.origin ? decodeCheckpoint(specs, request.origin) : base);
  const encoded = encodeDelta(specs, delta, training.encoding);
  const done = { steps, examples: steps * size, encoding: training.encoding, afterwardsMs: now() - start };
  return { ...metrics, ...encoded, ...done, weights };
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
  let start = now();
  model.setWeights(decodeCheckpoint(request.spec.weightsManifest[0]!.weights, request.checkpoint));
  const sum = { loss: 0, accuracy: 0, examples: 0 };
  let step = 0;
  for (const [i, shard] of request.shards.entries()) {
    for (let from = 0; from < shard.examples; from += request.batchSize) {
      const examples = Math.min(request.batchSize, shard.examples - from);
      const rows = Uint32Array.from({ length: examples }, (_, row) => from + row);
      const found = await model.evaluate(columns[i]!, rows);
      sum.loss += found.loss * examples;
      sum.accuracy += found.accuracy * examples;
      sum.examples += examples;
      step++;
      if (!(await request.afterStep({ ...found, step, examples, milliseconds: now() - start }))) return null;
      start = now();
    }
  }
  if (!Number.isFinite(sum.loss)) throw new Diverged(`the loss of this checkpoint is ${sum.loss}`);
  return { loss: sum.loss / sum.examples, accuracy: sum.accuracy / sum.examples, examples: sum.examples };
}
