import { beforeAll, describe, expect, test } from "vitest";

import { tf, type Tensor, type Tensor4D } from "../src/tf";
import { useWasm } from "./wasm";

type Gradients = Float32Array[];
type Pad = "valid" | "same";

beforeAll(useWasm);

/** Gradients of a sum over a fixed pattern, so that every element of dy differs. */
async function gradients(backend: string, f: (...xs: Tensor[]) => Tensor, inputs: [number[], number][]): Promise<Gradients> {
  await tf.setBackend(backend);
  const xs = inputs.map(([shape, seed]) => tf.randomUniform(shape, -1, 1, "float32", seed));
  const weighted = (...args: Tensor[]) => {
    const y = f(...args);
    return tf.sum(tf.mul(y, tf.reshape(tf.sin(tf.range(0, y.size)), y.shape)));
  };
  const found = tf.tidy(() => tf.grads(weighted)(xs));
  const values = await Promise.all(found.map((g) => g.data<"float32">()));
  tf.dispose([...xs, ...found]);
  return values;
}

/** The largest difference, relative to the largest reference value. */
function difference(found: Gradients, reference: Gradients): number {
  const worst = reference.map((values, i) => {
    const scale = Math.max(1, ...values.map(Math.abs));
    return Math.max(...values.map((value, k) => Math.abs(value - found[i]![k]!))) / scale;
  });
  return Math.max(...worst);
}

async function agree(f: (...xs: Tensor[]) => Tensor, inputs: [number[], number][]): Promise<void> {
  const reference = await gradients("cpu", f, inputs);
  const found = await gradients("wasm", f, inputs);
  expect(found.map((g) => g.length)).toEqual(inputs.map(([shape]) => shape.reduce((a, b) => a * b, 1)));
  expect(difference(found, reference)).toBeLessThan(2e-5);
}

describe("gradients on wasm are those of the cpu backend", () => {
  const strides: [number, number][] = [[1, 1], [2, 2], [1, 3], [3, 2]];
  const cases = (["valid", "same"] as Pad[]).flatMap((pad) =>
    strides.flatMap((stride) => [1, 2, 3, 5].map((kernel) => ({ pad, stride, kernel }))),
  );

  test.each(cases)("conv2d $pad, stride $stride, kernel $kernel", async ({ pad, stride, kernel }) => {
    const f = (x: Tensor, w: Tensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, stride, pad);
    await agree(f, [[[2, 9, 8, 3], 1], [[kernel, kernel, 3, 4], 2]]);
  });

  test.each(cases)("depthwise conv2d $pad, stride $stride, kernel $kernel", async ({ pad, stride, kernel }) => {
    const f = (x: Tensor, w: Tensor) => tf.depthwiseConv2d(x as Tensor4D, w as Tensor4D, stride, pad);
    await agree(f, [[[2, 9, 8, 3], 3], [[kernel, kernel, 3, 2], 4]]);
  });

  test("conv2d with more padding than the filter covers", async () => {
    const pad: [[number, number], [number, number], [number, number], [number, number]] = [[0, 0], [2, 1], [3, 0], [0, 0]];
    const f = (x: Tensor, w: Tensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, 1, pad);
    await agree(f, [[[2, 6, 5, 3], 1], [[2, 2, 3, 4], 2]]);
  });

  test("conv1d, as the layer calls it", async () => {
    const f = (x: Tensor, w: Tensor) => tf.conv1d(x as Tensor<tf.Rank.R3>, w as Tensor<tf.Rank.R3>, 2, "same");
    await agree(f, [[[2, 11, 3], 5], [[3, 3, 4], 6]]);
  });

  test("a look-up with repeated rows", async () => {
    const rows = [3, 0, 3, 3, 1];
    await agree((x) => tf.gather(x, tf.tensor1d(rows, "int32")), [[[5, 4], 7]]);
  });

  test.each([[false, false], [true, false], [false, true], [true, true]])(
    "a product, transposed %s and %s",
    async (transposeA, transposeB) => {
      const a = transposeA ? [2, 5, 3] : [2, 3, 5];
      const b = transposeB ? [2, 4, 5] : [2, 5, 4];
      await agree((x, y) => tf.matMul(x, y, transposeA, transposeB), [[a, 8], [b, 9]]);
    },
  );
});

test("a gradient leaves no tensor behind", async () => {
  const conv = (x: Tensor, w: Tensor) => tf.conv2d(x as Tensor4D, w as Tensor4D, 2, "same");
  const inputs: [number[], number][] = [[[2, 9, 8, 3], 1], [[3, 3, 3, 4], 2]];
  await gradients("wasm", conv, inputs);
  const before = tf.memory().numTensors;
  await gradients("wasm", conv, inputs);
  await gradients("wasm", (a, b) => tf.matMul(a, b, true, true), [[[5, 3], 1], [[4, 5], 2]]);
  expect(tf.memory().numTensors).toBe(before);
});
