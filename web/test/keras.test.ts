/** Models of Keras in TF.js: the golden file holds what Keras makes of them (`tests/keras/in_keras.py`). */

import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import { buildModel } from "../src/model";
import type { Spec, TensorSpec } from "../src/protocol";
import { models, tf, type DataType, type LayersModel, type Tensor } from "../src/tf";
import { useWasm } from "./wasm";

interface Packed {
  shape: number[];
  dtype: DataType;
  values: string;
}

interface Golden {
  topology: object;
  weights: { name: string; shape: number[] }[];
  values: string;
  inputs: Packed[];
  outputs: Packed[];
}

const path = new URL("../../tests/golden/keras/models.json", import.meta.url);
const golden = Object.entries(JSON.parse(readFileSync(path, "utf8")) as Record<string, Golden>);

const unpacked = (text: string) => new Uint8Array(Buffer.from(text, "base64")).buffer;
const numbers = ({ dtype, values }: Packed) =>
  dtype === "int32" ? new Int32Array(unpacked(values)) : new Float32Array(unpacked(values));
const specsOf = (entry: Golden): TensorSpec[] => entry.weights.map((weight) => ({ ...weight, dtype: "float32" }));

beforeAll(useWasm);

/** As the page sets weights: by name, and all of them. */
async function built(entry: Golden): Promise<LayersModel> {
  const model = await models.modelFromJSON({ modelTopology: entry.topology as never });
  const values = new Float32Array(unpacked(entry.values));
  const places = new Map(model.weights.map((variable) => [variable.originalName, variable]));
  expect([...places.keys()].sort()).toEqual(entry.weights.map(({ name }) => name).sort());
  let start = 0;
  for (const { name, shape } of entry.weights) {
    const size = shape.reduce((product, length) => product * length, 1);
    places.get(name)!.write(tf.tensor(values.slice(start, start + size), shape));
    start += size;
  }
  return model;
}

function predicted(model: LayersModel, entry: Golden): Tensor[] {
  const inputs = entry.inputs.map((input) => tf.tensor(numbers(input), input.shape, input.dtype));
  return [model.predict(inputs)].flat();
}

describe.each(golden)("%s", (_, entry) => {
  test("predicts in the page what it predicts in Keras", async () => {
    const found = predicted(await built(entry), entry);
    expect(found.map(({ shape }) => shape)).toEqual(entry.outputs.map(({ shape }) => shape));
    for (const [i, output] of found.entries()) {
      const wanted = numbers(entry.outputs[i]!);
      const apart = (await output.data()).map((value, k) => Math.abs(value - wanted[k]!));
      expect(Math.max(...apart)).toBeLessThan(1e-5);
    }
  });

  test("takes a step of training", async () => {
    const model = await built(entry);
    const before = await Promise.all(model.trainableWeights.map((variable) => variable.read().data()));
    const inputs = entry.inputs.map((input) => tf.tensor(numbers(input), input.shape, input.dtype));
    const targets = entry.outputs.map(({ shape }) => tf.fill(shape, 3));
    model.compile({ optimizer: tf.train.sgd(0.1), loss: "meanSquaredError" });
    const [loss] = [await model.trainOnBatch(inputs, targets)].flat();
    expect(Number.isFinite(loss)).toBe(true);
    const after = await Promise.all(model.trainableWeights.map((variable) => variable.read().data()));
    expect(after.some((values, i) => values.some((value, k) => value !== before[i]![k]))).toBe(true);
    expect(after.every((values) => values.every(Number.isFinite))).toBe(true);
  });

  test("is one that the page's own code takes", async () => {
    const spec = { modelTopology: entry.topology, weightsManifest: [{ weights: specsOf(entry) }] };
    const data = { inputs: [], targets: [] };
    const recipe = { optimizer: "sgd", learning_rate: 0.1, loss: "meanSquaredError" } as const;
    const model = await buildModel({ ...spec, data } as unknown as Spec, recipe);
    const values = new Float32Array(unpacked(entry.values));
    model.setWeights(values);
    expect(await model.getWeights()).toEqual(values);
    model.dispose();
  });
});
