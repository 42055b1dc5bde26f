/** The two models that the project's demos train, small data for them, and starting weights. */

import type { Spec, TensorSpec, Training } from "../src/protocol";
import { mulberry32 } from "../src/shuffle";
import { totalSize } from "../src/wire";
import type { World } from "./server";

const conv = (name: string, filters: number, input?: number[]) => ({
  class_name: "Conv2D",
  config: {
    name,
    filters,
    kernel_size: [5, 5],
    strides: [1, 1],
    padding: "valid",
    activation: "relu",
    use_bias: true,
    trainable: true,
    dtype: "float32",
    ...(input ? { batch_input_shape: [null, ...input] } : {}),
  },
});

const pool = (name: string) => ({
  class_name: "MaxPooling2D",
  config: { name, pool_size: [2, 2], strides: [2, 2], padding: "valid", trainable: true, dtype: "float32" },
});

const dense = (name: string, units: number, activation: string, input?: number[]) => ({
  class_name: "Dense",
  config: {
    name,
    units,
    activation,
    use_bias: true,
    trainable: true,
    dtype: "float32",
    ...(input ? { batch_input_shape: [null, ...input] } : {}),
  },
});

const flatten = { class_name: "Flatten", config: { name: "flatten", trainable: true, dtype: "float32" } };

const sequential = (name: string, layers: unknown[]) => ({ class_name: "Sequential", config: { name, layers } });

const weight = (name: string, ...shape: number[]): TensorSpec => ({ name, shape, dtype: "float32" });

const data = (shape: number[], scale: number): Spec["data"] => ({
  inputs: [{ name: "image", shape, dtype: "float32", quantization: { dtype: "uint8", min: 0, scale } }],
  targets: [{ name: "label", shape: [], dtype: "int32", quantization: { dtype: "uint8", min: 0, scale: 1 } }],
});

export const digits: Spec = {
  modelTopology: sequential("digits", [dense("hidden", 32, "relu", [64]), dense("classes", 10, "softmax")]),
  weightsManifest: [
    { weights: [weight("hidden/kernel", 64, 32), weight("hidden/bias", 32), weight("classes/kernel", 32, 10), weight("classes/bias", 10)] },
  ],
  data: data([64], 1 / 16),
};

export const mnist: Spec = {
  modelTopology: sequential("mnist", [
    conv("conv1", 8, [28, 28, 1]),
    pool("pool1"),
    conv("conv2", 16),
    pool("pool2"),
    flatten,
    dense("classes", 10, "softmax"),
  ]),
  weightsManifest: [
    {
      weights: [
        weight("conv1/kernel", 5, 5, 1, 8),
        weight("conv1/bias", 8),
        weight("conv2/kernel", 5, 5, 8, 16),
        weight("conv2/bias", 16),
        weight("classes/kernel", 256, 10),
        weight("classes/bias", 10),
      ],
    },
  ],
  data: data([28, 28, 1], 1 / 255),
};

const functional = (layer: { class_name: string; config: { name: string } }, ...before: string[]) => ({
  ...layer,
  name: layer.config.name,
  inbound_nodes: before.length > 0 ? [before.map((name) => [name, 0, 0, {}])] : [],
});

const input = (name: string, length: number) => ({
  class_name: "InputLayer",
  config: { name, batch_input_shape: [null, length], dtype: "float32", sparse: false },
});

/** Two inputs, side by side, and two outputs on both together. */
export const sides: Spec = {
  modelTopology: {
    class_name: "Functional",
    config: {
      name: "sides",
      layers: [
        functional(input("left", 2)),
        functional(input("right", 1)),
        functional({ class_name: "Concatenate", config: { name: "both" } }, "left", "right"),
        functional(dense("kind", 3, "softmax"), "both"),
        functional(dense("sign", 2, "softmax"), "both"),
      ],
      input_layers: [["left", 0, 0], ["right", 0, 0]],
      output_layers: [["kind", 0, 0], ["sign", 0, 0]],
    },
  },
  weightsManifest: [{ weights: [weight("kind/kernel", 3, 3), weight("kind/bias", 3), weight("sign/kernel", 3, 2), weight("sign/bias", 2)] }],
  data: {
    inputs: [{ name: "left", shape: [2], dtype: "float32" }, { name: "right", shape: [1], dtype: "float32" }],
    targets: ["kind", "sign"].map((name) => ({ name, shape: [], dtype: "int32" as const })),
  },
};

export const training: Training = {
  optimizer: "sgd",
  learning_rate: 0.1,
  loss: "sparseCategoricalCrossentropy",
  local_steps: 4,
  batch_size: 64,
  encoding: "float32",
};

/** Small random weights. */
export function weightsFor(spec: Spec, seed = 1): ArrayBuffer {
  const random = mulberry32(seed);
  return Float32Array.from({ length: totalSize(spec.weightsManifest[0]!.weights) }, () => (random() - 0.5) * 0.2).buffer;
}

/** A shard of pictures that are easy to tell apart: each class lights its own stretch of pixels. */
export function shardFor(spec: Spec, examples: number, seed = 7): ArrayBuffer {
  const size = spec.data.inputs[0]!.shape.reduce((a, b) => a * b, 1);
  const top = 1 / spec.data.inputs[0]!.quantization!.scale!;
  const random = mulberry32(seed);
  const bytes = new Uint8Array(examples * (size + 1));
  for (let i = 0; i < examples; i++) {
    const label = Math.floor(random() * 10);
    bytes[examples * size + i] = label;
    for (let p = 0; p < size; p++) {
      const lit = Math.floor((p * 10) / size) === label;
      bytes[i * size + p] = Math.floor(random() * (lit ? top : top / 4));
    }
  }
  return bytes.buffer;
}

/** A run of the digits net on little data. */
export function smallWorld(change: Partial<World> = {}): World {
  return {
    spec: digits,
    training,
    weights: weightsFor(digits),
    train: [1, 2].map((seed) => ({ body: shardFor(digits, 200, seed), examples: 200 })),
    validation: [{ body: shardFor(digits, 100, 9), examples: 100 }],
    evaluateEvery: 5,
    versions: 12,
    ...change,
  };
}
