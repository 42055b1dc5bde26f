import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import { OPTIMIZERS } from "../src/model";
import type { OptimizerName } from "../src/protocol";
import { tf, type Tensor } from "../src/tf";
import { useWasm } from "./wasm";

interface Golden {
  shapes: number[][];
  weights: number[];
  gradients: number[][];
  after: { optimizer: OptimizerName; learning_rate: number; weights: number[] }[];
}

const golden = JSON.parse(readFileSync(new URL("../../tests/golden/optimizers.json", import.meta.url), "utf8")) as Golden;

beforeAll(useWasm);

/** A vector as tensors of the golden shapes. */
function tensors(vector: number[]): Tensor[] {
  let start = 0;
  return golden.shapes.map((shape) => {
    const end = start + shape.reduce((a, b) => a * b, 1);
    const tensor = tf.tensor(vector.slice(start, end), shape);
    start = end;
    return tensor;
  });
}

async function stepped(name: OptimizerName, rate: number): Promise<number[]> {
  const optimizer = OPTIMIZERS[name](rate);
  const variables = tensors(golden.weights).map((tensor) => tf.variable(tensor));
  for (const gradient of golden.gradients) {
    const parts = tensors(gradient);
    optimizer.applyGradients(Object.fromEntries(variables.map((variable, i) => [variable.name, parts[i]!])));
  }
  const found = await Promise.all(variables.map((variable) => variable.data()));
  tf.dispose(variables);
  optimizer.dispose();
  return found.flatMap((values) => [...values]);
}

describe.each(golden.after)("$optimizer", ({ optimizer, learning_rate, weights }) => {
  test("takes the steps that the simulator takes", async () => {
    const found = await stepped(optimizer, learning_rate);
    found.forEach((value, i) => expect(value).toBeCloseTo(weights[i]!, 4));
  });
});

test("muon leaves nothing behind", async () => {
  await stepped("muon", 0.1);
  const before = tf.memory().numTensors;
  await stepped("muon", 0.1);
  // The test's own tensors: weights and gradients.
  expect(tf.memory().numTensors - before).toBe(golden.shapes.length * (1 + golden.gradients.length));
});

test("a matrix whose both sides are long is not made orthogonal, which would take longer than its gradient", () => {
  const time = (rows: number): number => {
    const optimizer = OPTIMIZERS.muon(0.1);
    const variable = tf.variable(tf.zeros([rows, 600]));
    optimizer.applyGradients({ [variable.name]: tf.ones([rows, 600]) });
    return variable.dataSync()[0]!;
  };
  // Adam moves each number by half the rate; what is orthogonal moves all of them together by about the rate.
  expect(time(600)).toBeCloseTo(-0.05, 5);
  expect(Math.abs(time(500))).toBeLessThan(0.01);
});
