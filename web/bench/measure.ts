/**
 * Three things, measured by turns so that a busy machine slows all alike.
 *
 * The bare loop is the least that TF.js can do: batches made beforehand, compiled without metrics, `trainOnBatch` and
 * nothing else. The trainer does what a task asks for: weights in, batches gathered, steps with metrics, weights out,
 * delta. The client is all of it on a server that answers at once: tasks, throttle, events and hashes too.
 */

import { chooseBackend } from "../src/backends";
import { join } from "../src/client";
import { systemClock } from "../src/clock";
import type { Api } from "../src/api";
import type { BackendName } from "../src/messages";
import type { Blob, Spec, Task, Training } from "../src/protocol";
import { sha256 } from "../src/sha256";
import { models, tf } from "../src/tf";
import { createTrainer, type Trainer } from "../src/trainer";
import { Turns } from "../src/turns";
import { shardFor, weightsFor } from "../test/specs";
import digits from "../../examples/digits/spec.json";
import mnist from "../../examples/mnist/spec.json";

export interface BenchOptions {
  backend: BackendName | null;
  repetitions: number;
  /** Steps per repetition. */
  digitsSteps: number;
  mnistSteps: number;
}

export interface Speeds {
  /** Images per second. */
  bare: number;
  trainer: number;
  client: number;
  /** Medians of what is left of the bare loop's speed. */
  trainerShare: number;
  clientShare: number;
}

export interface BenchResult {
  backend: string;
  digits: Speeds;
  mnist: Speeds;
}

/** Takes a number of steps, gives images per second. */
type Loop = (steps: number) => Promise<number>;

const EXAMPLES = 512;

/** A run as its owner's spec describes it: the model, and what a task would ask for. */
interface Subject {
  spec: Spec;
  recipe: Training;
}

function subject(shipped: typeof digits | typeof mnist): Subject {
  return { spec: shipped as unknown as Spec, recipe: { optimizer: "muon", learning_rate: 0.03, ...shipped.training } as Training };
}

/** Both models, one after the other. */
export async function measureAll(options: Partial<BenchOptions>): Promise<BenchResult> {
  const all = { backend: null, repetitions: 25, digitsSteps: 208, mnistSteps: 12, ...options };
  return {
    digits: await measure(subject(digits), all, all.digitsSteps),
    mnist: await measure(subject(mnist), all, all.mnistSteps),
    backend: tf.getBackend(),
  };
}

async function measure({ spec, recipe }: Subject, options: BenchOptions, steps: number): Promise<Speeds> {
  const bare = await bareLoop(spec, recipe, options.backend);
  const now = () => systemClock.now();
  const trainer = createTrainer({ backend: options.backend ?? "wasm", now, turns: new Turns(), keeping: null, onBackend: () => undefined });
  const loops = [bare.run, trainerLoop(spec, recipe, trainer), await clientLoop(spec, recipe, trainer)];
  const speeds: number[][] = [[], [], []];
  for (let turn = -1; turn < options.repetitions; turn++) {
    for (const [i, loop] of loops.entries()) {
      const speed = await loop(steps);
      if (turn >= 0) speeds[i]!.push(speed); // the first time warms up
    }
  }
  bare.dispose();
  trainer.reset();
  const [bares, trainers, clients] = speeds as [number[], number[], number[]];
  const share = (of: number[]) => median(of.map((speed, i) => speed / bares[i]!));
  return {
    bare: median(bares),
    trainer: median(trainers),
    client: median(clients),
    trainerShare: share(trainers),
    clientShare: share(clients),
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

async function bareLoop(spec: Spec, recipe: Training, only: BackendName | null): Promise<{ run: Loop; dispose(): void }> {
  const now = () => systemClock.now();
  const idle = { step: () => Promise.resolve(), dispose: () => undefined };
  await chooseBackend({ spec, batch: recipe.batch_size, build: () => Promise.resolve(idle), now, only: only ?? "wasm" });
  const model = await models.modelFromJSON({ modelTopology: spec.modelTopology as never });
  model.compile({ optimizer: tf.train.sgd(recipe.learning_rate), loss: recipe.loss });
  const shape = spec.data.inputs[0]!.shape;
  const batches = Array.from({ length: 8 }, () => ({
    x: tf.randomUniform([recipe.batch_size, ...shape]),
    y: tf.cast(tf.randomUniform([recipe.batch_size, 1], 0, 10, "int32"), "float32"),
  }));
  return {
    async run(steps: number): Promise<number> {
      const start = now();
      for (let step = 0; step < steps; step++) {
        const { x, y } = batches[step % batches.length]!;
        await model.trainOnBatch(x, y);
      }
      return (1000 * steps * recipe.batch_size) / (now() - start);
    },
    dispose: () => tf.dispose([...batches.flatMap(({ x, y }) => [x, y])]),
  };
}

/** Asks the trainer for task after task; gives images per second. */
function trainerLoop(spec: Spec, recipe: Training, trainer: Trainer): Loop {
  const checkpoint = weightsFor(spec);
  const shard = { body: shardFor(spec, EXAMPLES), examples: EXAMPLES };
  const request = { spec, checkpoint, shard, seed: 1, training: recipe, generation: 0, afterStep: () => true };
  return async (steps) => {
    const start = systemClock.now();
    for (let step = 0; step < steps; step += recipe.local_steps)
      await trainer.train({ ...request, offset: step * recipe.batch_size });
    return (1000 * steps * recipe.batch_size) / (systemClock.now() - start);
  };
}

/** Lets a client do so many steps; gives images per second. */
async function clientLoop(spec: Spec, recipe: Training, trainer: Trainer): Promise<Loop> {
  const { api, blobs } = await instantServer(spec, recipe);
  // Each repetition is a client of its own; the trainer, which a real client keeps, goes on with the model it has.
  const kept: Trainer = {
    train: (request) => trainer.train({ ...request, spec }),
    evaluate: (request) => trainer.evaluate({ ...request, spec }),
    save: () => Promise.resolve(),
    drop: () => Promise.resolve(),
    reset: () => undefined,
  };
  return async (steps) => {
    let left = steps;
    let start = 0;
    const client = join({
      api: { ...api, nextTask: (...args) => (left > 0 ? api.nextTask(...args) : Promise.resolve({ kind: "stop", reason: "done" })) },
      blobs,
      trainer: kept,
      clock: systemClock,
      run: "bench",
      power: 100,
      onEvent: (event) => {
        if (event.type === "joined") start = systemClock.now();
        if (event.type === "uploaded") left -= event.steps;
      },
    });
    client.start();
    await client.finished;
    return (1000 * (steps - left) * recipe.batch_size) / (systemClock.now() - start);
  };
}

async function instantServer(spec: Spec, recipe: Training) {
  const stored = new Map<string, ArrayBuffer>();
  const store = async (body: ArrayBuffer): Promise<Blob> => {
    const hash = await sha256(body);
    stored.set(hash, body);
    return { url: "", sha256: hash, bytes: body.byteLength };
  };
  const model = await store(new TextEncoder().encode(JSON.stringify(spec)).buffer);
  const checkpoint = await store(weightsFor(spec));
  const shard = { ...(await store(shardFor(spec, EXAMPLES))), examples: EXAMPLES };
  const alone = { peer: null, validation: null };
  const part = { shard, offset: 0, seed: 1, training: recipe, expires_in: 600 };
  const task: Task = { kind: "train", version: 0, generation: 0, model, checkpoint, ...part, ...alone };
  const never = () => Promise.reject(new Error("not part of the bench"));
  const get = ({ sha256: hash }: Blob) => Promise.resolve(stored.get(hash)!);
  const api: Api = {
    traffic: { up: 0, down: 0 },
    listRuns: never,
    getRun: never,
    getHistory: never,
    getModel: never,
    report: never,
    exchange: never,
    complain: never,
    getUpdate: (_run, _token, update_id) =>
      Promise.resolve({ update_id, state: "merged", reason: null, base_version: 0, version: 1, staleness: 0, discount: 1 }),
    join: () => Promise.resolve({ client_id: "c", token: "t", expires_in: 600 }),
    nextTask: () => Promise.resolve(task),
    announce: () => Promise.resolve({ update_id: "u", upload: { url: "", fields: {} }, expires_in: 600 }),
    upload: () => Promise.resolve(),
    download: get,
  };
  return { api, blobs: { get } };
}
