import { beforeAll, describe, expect, test } from "vitest";

import { BadSpec, Corrupt, Diverged } from "../src/errors";
import type { Spec, Training } from "../src/protocol";
import { batch, permutation } from "../src/shuffle";
import { tf } from "../src/tf";
import { createTrainer, type TrainRequest, type Trainer } from "../src/trainer";
import { Turns } from "../src/turns";
import { digits, mnist, shardFor, sides, training, weightsFor } from "./specs";
import { useWasm } from "./wasm";

beforeAll(useWasm);

const trainerOn = (backend: "wasm" | "cpu" = "wasm"): Trainer =>
  createTrainer({ backend, now: () => performance.now(), turns: new Turns(), keeping: null, onBackend: () => undefined });

function requestFor(spec: Spec, change: Partial<Training> = {}, examples = 200): TrainRequest {
  return {
    spec,
    checkpoint: weightsFor(spec),
    shard: { body: shardFor(spec, examples), examples },
    seed: 42,
    offset: 0,
    training: { ...training, ...change },
    generation: 0,
    afterStep: () => true,
  };
}

const floats = (body: Uint8Array): Float32Array => new Float32Array(body.slice().buffer);

function added(base: ArrayBuffer, delta: Float32Array): ArrayBuffer {
  return new Float32Array(base).map((value, i) => value + delta[i]!).buffer;
}

/** A softmax regression worked out by hand, so that a step can be checked without TF.js. */
const regression: Spec = {
  modelTopology: {
    class_name: "Sequential",
    config: {
      name: "regression",
      layers: [
        {
          class_name: "Dense",
          config: { name: "classes", units: 10, activation: "softmax", use_bias: true, batch_input_shape: [null, 64] },
        },
      ],
    },
  },
  weightsManifest: [
    { weights: [{ name: "classes/kernel", shape: [64, 10], dtype: "float32" }, { name: "classes/bias", shape: [10], dtype: "float32" }] },
  ],
  data: digits.data,
};

function handWorkedStep(weights: Float64Array, shard: ArrayBuffer, total: number, examples: Uint32Array, rate: number): Float64Array {
  const bytes = new Uint8Array(shard);
  const next = weights.slice();
  for (const example of examples) {
    const x = Float64Array.from(bytes.subarray(example * 64, example * 64 + 64), (q) => q / 16);
    const logits = Array.from({ length: 10 }, (_, k) => weights[640 + k]! + x.reduce((sum, value, p) => sum + value * weights[p * 10 + k]!, 0));
    const powers = logits.map(Math.exp);
    const norm = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, k) => {
      const error = power / norm - (bytes[total * 64 + example] === k ? 1 : 0);
      x.forEach((value, p) => (next[p * 10 + k]! -= (rate * error * value) / examples.length));
      next[640 + k]! -= (rate * error) / examples.length;
    });
  }
  return next;
}

describe("training", () => {
  test("is plain minibatch SGD on the examples that the seed and the offset name", async () => {
    const request = { ...requestFor(regression, { local_steps: 3, learning_rate: 0.3, batch_size: 32 }), offset: 190 };
    const { body } = await trainerOn().train(request);

    const order = permutation(42, 200);
    let expected: Float64Array = Float64Array.from(new Float32Array(request.checkpoint));
    for (let step = 0; step < 3; step++) {
      expected = handWorkedStep(expected, request.shard.body, 200, batch(order, 190, step, 32), 0.3);
    }
    const base = new Float32Array(request.checkpoint);
    floats(body).forEach((value, i) => expect(value).toBeCloseTo(expected[i]! - base[i]!, 5));
  });

  test.each([["digits", digits, 40], ["mnist", mnist, 12]] as const)("%s learns easy pictures on wasm", async (_, spec, tasks) => {
    const trainer = trainerOn();
    const request = requestFor(spec, { learning_rate: 0.2 });
    let checkpoint = request.checkpoint;
    for (let task = 0; task < tasks; task++) {
      const { body } = await trainer.train({ ...request, checkpoint, seed: task });
      checkpoint = added(checkpoint, floats(body));
    }
    const unseen = [{ body: shardFor(spec, 150, 99), examples: 150 }, { body: shardFor(spec, 70, 98), examples: 70 }];
    const evaluation = { spec, checkpoint, shards: unseen, loss: training.loss, afterStep: () => true };
    const found = await trainer.evaluate({ ...evaluation, batchSize: 64 });

    expect(found?.examples).toBe(220);
    expect(found?.accuracy).toBeGreaterThan(0.95);
    const inOneBatch = await trainer.evaluate({ ...evaluation, batchSize: 1000 });
    expect(inOneBatch?.loss).toBeCloseTo(found!.loss, 5);
    // Counts of examples, not sums of rounded means: 15 digits agree, where float32 has 7.
    expect(inOneBatch?.accuracy).toBeCloseTo(found!.accuracy, 14);
  });

  test("gives the same delta on wasm and on cpu", async () => {
    const [wasm, cpu] = [await trainerOn().train(requestFor(digits)), await trainerOn("cpu").train(requestFor(digits))];
    const reference = floats(cpu.body);
    floats(wasm.body).forEach((value, i) => expect(value).toBeCloseTo(reference[i]!, 5));
  });

  test("several inputs and outputs are trained and evaluated: losses add up, accuracy is the mean", async () => {
    // Four examples: left [4, 2], right [4, 1], kind [4], sign [4]. All weights are 0 but the biases of kind 0 and sign 1.
    const body = new ArrayBuffer(4 * 4 * 5);
    new Int32Array(body).set([0, 0, 1, 2, /* of sign */ 1, 1, 1, 0], 12);
    const checkpoint = new Float32Array(20);
    checkpoint.set([1, 0, 0], 9);
    checkpoint.set([0, 1], 18);
    const shard = { body, examples: 4 };
    const request = { spec: sides, checkpoint: checkpoint.buffer, afterStep: () => true };
    const trainer = trainerOn();

    const found = (await trainer.evaluate({ ...request, shards: [shard], batchSize: 4, loss: training.loss }))!;
    const kind = Math.log(Math.E + 2) - 0.5;
    const sign = Math.log(Math.E + 1) - 0.75;
    expect(found.loss).toBeCloseTo(kind + sign, 5);
    expect(found.accuracy).toBe((0.5 + 0.75) / 2);

    const trained = await trainer.train({ ...requestFor(digits), ...request, shard, training: { ...training, local_steps: 1, batch_size: 4 } });
    expect(trained.loss).toBeCloseTo(kind + sign, 5);
    expect(trained.accuracy).toBe((0.5 + 0.75) / 2);
    // The bias of sign 0 is drawn from its probability to its share.
    expect(floats(trained.body)[18]).toBeCloseTo(training.learning_rate * (0.25 - 1 / (Math.E + 1)), 6);
  });

  test("leaves no tensor behind, whatever the optimizer", async () => {
    for (const optimizer of ["sgd", "momentum", "adam", "muon"] as const) {
      const trainer = trainerOn();
      const request = requestFor(mnist, { optimizer, learning_rate: 0.01, batch_size: 8, local_steps: 2 });
      const evaluation = { ...request, shards: [request.shard], batchSize: 100, loss: training.loss };
      await trainer.train(request);
      await trainer.evaluate(evaluation);
      const before = tf.memory().numTensors;
      await trainer.train(request);
      await trainer.evaluate(evaluation);
      expect(tf.memory().numTensors).toBe(before);
      trainer.reset();
    }
  });

  test("keeps the optimizer's state from task to task, and drops it at a rollback", async () => {
    const trainer = trainerOn();
    const request = requestFor(digits, { optimizer: "momentum" });
    const first = floats((await trainer.train(request)).body);
    const second = floats((await trainer.train(request)).body);
    const afterRollback = floats((await trainer.train({ ...request, generation: 1 })).body);

    expect(second).not.toEqual(first);
    expect(afterRollback).toEqual(first);
  });

  test.each(["sgd", "momentum", "adam", "muon"] as const)("%s keeps its state when the learning rate falls", async (optimizer) => {
    const request = requestFor(digits, { optimizer, learning_rate: 0.02, local_steps: 1 });
    const slower = requestFor(digits, { optimizer, learning_rate: 0.01, local_steps: 1 });
    const [steady, falling, fresh] = [trainerOn(), trainerOn(), trainerOn()];
    await steady.train(request);
    await falling.train(request);
    const full = floats((await steady.train(request)).body);
    const half = floats((await falling.train(slower)).body);
    // A step is as long as its rate, whatever is remembered; so half the rate from the same state is half the step.
    full.forEach((value, i) => expect(half[i]).toBeCloseTo(value / 2, 6));
    if (optimizer !== "sgd") expect(floats((await fresh.train(slower)).body)).not.toEqual(half);
  });

  test("an evaluation in between does not touch the optimizer's state", async () => {
    const request = requestFor(digits, { optimizer: "adam", learning_rate: 0.01 });
    const evaluation = { ...request, shards: [request.shard], batchSize: 100, loss: training.loss };
    const [plain, interrupted] = [trainerOn(), trainerOn()];
    await plain.train(request);
    await interrupted.train(request);
    await interrupted.evaluate(evaluation);

    expect((await interrupted.train(request)).body).toEqual((await plain.train(request)).body);
  });

  test("works out accuracy at the last step, of the last batch", async () => {
    const seen: (number | null)[] = [];
    const afterStep: TrainRequest["afterStep"] = ({ accuracy }) => Boolean(seen.push(accuracy));
    const { accuracy } = await trainerOn().train({ ...requestFor(digits, { learning_rate: 0.5, local_steps: 60 }), afterStep });
    expect(seen.slice(0, -1).every((value) => value === null)).toBe(true);
    expect(accuracy).toBe(seen.at(-1));
    expect(accuracy).toBeGreaterThan(0.9);
  });

  test("ends early when told to, and counts what it did", async () => {
    const trained = await trainerOn().train({ ...requestFor(digits, { local_steps: 50 }), afterStep: ({ step }) => step < 3 });
    expect(trained).toMatchObject({ steps: 3, examples: 192 });
  });

  test("a learning rate that explodes is reported, not sent", async () => {
    await expect(trainerOn().train(requestFor(mnist, { learning_rate: 1e30 }))).rejects.toThrow(Diverged);
  });

  test.each(["float16", "uint16", "uint8"] as const)("%s deltas stay close to the float32 ones", async (encoding) => {
    const exact = floats((await trainerOn().train(requestFor(digits))).body);
    const { body, quantization } = await trainerOn().train(requestFor(digits, { encoding }));
    expect(body.byteLength).toBe(exact.length * (encoding === "uint8" ? 1 : 2));
    expect(quantization?.length ?? 0).toBe(encoding === "float16" ? 0 : 4);
  });
});

describe("what does not fit together is refused", () => {
  test("a checkpoint of another size", async () => {
    await expect(trainerOn().train({ ...requestFor(digits), checkpoint: weightsFor(mnist) })).rejects.toThrow(Corrupt);
  });

  test("a shard of another size", async () => {
    const shard = { body: shardFor(digits, 10), examples: 11 };
    await expect(trainerOn().train({ ...requestFor(digits), shard })).rejects.toThrow(Corrupt);
  });

  const changed = (change: (spec: Spec) => void): Spec => {
    const spec = structuredClone(digits);
    change(spec);
    return spec;
  };
  const weightsOf = (spec: Spec) => spec.weightsManifest[0]!.weights;
  const layersOf = (spec: Spec) => (spec.modelTopology["config"] as { layers: object[] }).layers;

  test.each([
    ["a weight that the topology lacks", (spec: Spec) => void (weightsOf(spec)[0]!.name = "elsewhere/kernel"), "no weight elsewhere/kernel"],
    ["a weight too few", (spec: Spec) => void weightsOf(spec).shift(), "the topology has 4 weights, the manifest 3"],
    ["a weight of another shape", (spec: Spec) => void (weightsOf(spec)[0]!.shape = [32, 64]), "has shape [64,32] in the topology"],
  ])("a manifest with %s: for good, since a spec never changes", async (_, change, message) => {
    const failure: unknown = await trainerOn().train(requestFor(changed(change))).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(BadSpec);
    expect((failure as Error).message).toContain(message);
  });

  test("an optimizer that this page does not know, in words for people", async () => {
    await expect(trainerOn().train(requestFor(digits, { optimizer: "lion" as never }))).rejects.toThrow(
      "this page does not know the optimizer lion",
    );
  });

  const bad: [string, Spec, Partial<Training>][] = [
    ["a manifest that does not fit", changed((spec) => void weightsOf(spec).shift()), {}],
    ["a layer that nobody knows, after some that were made", changed((spec) => void layersOf(spec).push({ class_name: "Evil", config: {} })), {}],
    ["a loss that nobody knows", digits, { loss: "nope" as never }],
    ["Adam, which holds tensors of its own", changed((spec) => void weightsOf(spec).shift()), { optimizer: "adam" }],
  ];
  test.each(bad)("a model that cannot be built leaves no tensor behind: %s", async (_, spec, change) => {
    const trainer = trainerOn();
    const before = tf.memory().numTensors;
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(trainer.train(requestFor(spec, change))).rejects.toThrow();
      trainer.reset();
    }
    expect(tf.memory().numTensors).toBe(before);
  });
});
