import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

import { BadSpec, Corrupt } from "../src/errors";
import { fromHalf, toHalf } from "../src/half";
import type { Encoding, Quantization, TensorSpec } from "../src/protocol";
import { mulberry32 } from "../src/shuffle";
import { sizeOf } from "../src/sizes";
import { decodeCheckpoint, decodeShard, encodeDelta, gather } from "../src/wire";

interface Golden {
  specs: TensorSpec[];
  encoding: Encoding | "shard";
  quantization: Quantization[];
  examples?: number;
  hex: string;
  values: number[][];
  source?: number[][];
}

const folder = new URL("../../tests/golden/wire/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const golden = files.map((name): [string, Golden] => [name, JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Golden]);

const bytesOf = (hex: string): ArrayBuffer => new Uint8Array(Buffer.from(hex, "hex")).buffer;
const all = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** An update, read as a shard of one example whose tensors carry the update's packing. */
function asShard({ specs, encoding, quantization, examples = 1 }: Golden): { specs: TensorSpec[]; examples: number } {
  if (encoding === "shard" || encoding === "float32") return { specs, examples };
  return { examples, specs: specs.map((spec, i) => ({ ...spec, quantization: { dtype: encoding, ...quantization[i] } })) };
}

describe("golden files, the same that the server's tests read", () => {
  test("are there, for every encoding", () => {
    expect(golden.map(([, { encoding }]) => encoding)).toEqual(
      expect.arrayContaining(["float32", "float16", "uint8", "uint16", "shard"]),
    );
  });

  test.each(golden)("%s means what it says", (_, file) => {
    const { specs, examples } = asShard(file);
    const columns = decodeShard(specs, bytesOf(file.hex), examples);
    expect(columns.map((column) => [...gather(column, all(examples))])).toEqual(file.values);
  });

  const written = golden.filter(([, { encoding }]) => encoding === "float32" || encoding === "float16");
  test.each(written)("%s is what this client writes", (_, { specs, encoding, values, source, hex }) => {
    const delta = Float32Array.from((source ?? values).flat());
    const { body } = encodeDelta(specs, delta, encoding as Encoding);
    expect(Buffer.from(body).toString("hex")).toBe(hex);
  });

  test("a checkpoint is the float32 file as one vector", () => {
    const [, file] = golden.find(([, { encoding }]) => encoding === "float32")!;
    expect([...decodeCheckpoint(file.specs, bytesOf(file.hex))]).toEqual(file.values.flat());
  });
});

describe("float16", () => {
  test("all 65536 patterns survive the way out and back", () => {
    const patterns = all(65536);
    const back = patterns.map((pattern) => toHalf(fromHalf(pattern)));
    const isNaNPattern = (pattern: number) => (pattern & 0x7fff) > 0x7c00;
    expect(back.filter((pattern, i) => !isNaNPattern(i) && pattern !== i)).toEqual([]);
    expect(patterns.filter(isNaNPattern).every((pattern) => Number.isNaN(fromHalf(pattern)))).toBe(true);
  });

  test("a number between two halves becomes the nearer, a tie the even one", () => {
    const random = mulberry32(3);
    for (const pattern of Array.from({ length: 2000 }, () => Math.floor(random() * 0x7bff))) {
      const [low, high] = [fromHalf(pattern), fromHalf(pattern + 1)];
      const middle = (low + high) / 2;
      const even = pattern % 2 === 0 ? pattern : pattern + 1;
      expect(toHalf(middle)).toBe(even);
      expect(toHalf(Math.fround(middle + (high - low) / 8))).toBe(pattern + 1);
      expect(toHalf(Math.fround(middle - (high - low) / 8))).toBe(pattern);
    }
  });
});

describe("quantised deltas", () => {
  const specs: TensorSpec[] = [
    { name: "a", shape: [40, 5], dtype: "float32" },
    { name: "b", shape: [3], dtype: "float32" },
  ];
  const random = mulberry32(5);
  const delta = Float32Array.from({ length: 203 }, (_, i) => (i < 200 ? (random() - 0.3) * 1e-3 : 0));

  test.each(["uint8", "uint16"] as const)("%s: every value within half a step of what it was, and 0 exactly 0", (encoding) => {
    delta[17] = 0;
    const { body, quantization } = encodeDelta(specs, delta, encoding);
    const packed = specs.map((spec, i) => ({ ...spec, quantization: { dtype: encoding, ...quantization![i]! } }));
    const [a, b] = decodeShard(packed, body.slice().buffer, 1).map((column) => gather(column, [0]));
    a!.forEach((value, i) => expect(Math.abs(value - delta[i]!)).toBeLessThan(quantization![0]!.scale * 0.501));
    expect(a![17]).toBe(0);
    expect([...b!]).toEqual([0, 0, 0]);
  });

  test("what is too large for float16 is the largest float16, for infinity would have the update rejected", () => {
    const { body } = encodeDelta([specs[1]!], Float32Array.from([1e6, -1e6, 1]), "float16");
    expect([...new Uint16Array(body.slice().buffer)].map(fromHalf)).toEqual([65504, -65504, 1]);
  });
});

test("an encoding that this page does not know is refused, not sent under a name that it is not", () => {
  const spec: TensorSpec = { name: "a", shape: [3], dtype: "float32" };
  expect(() => encodeDelta([spec], new Float32Array(3), "int4" as never)).toThrow(BadSpec);
});

describe("a body of the wrong length is refused", () => {
  const spec: TensorSpec = { name: "a", shape: [2, 3], dtype: "float32" };
  test.each([0, 23, 25, 48])("%s bytes for one example of 24", (length) => {
    expect(() => decodeShard([spec], new ArrayBuffer(length), 1)).toThrow(Corrupt);
    expect(() => decodeCheckpoint([spec], new ArrayBuffer(length))).toThrow(Corrupt);
  });
});

test("int32 from quantised numbers is rounded, ties to even", () => {
  const spec: TensorSpec = { name: "i", shape: [], dtype: "int32", quantization: { dtype: "uint8", min: -1, scale: 0.5 } };
  const [column] = decodeShard([spec], new Uint8Array([0, 1, 3, 5, 7, 8]).buffer, 6);
  expect([...gather(column!, all(6))].map((value) => value + 0)).toEqual([-1, 0, 0, 2, 2, 3]);
});

test("a scalar has one element", () => {
  expect(sizeOf({ name: "s", shape: [], dtype: "float32" })).toBe(1);
});
