import { describe, expect, test } from "vitest";

import type { RunData, TensorSpec } from "../src/index";
import { centreOfMass, greyOf, hasLightBorder, inkBox, shrunk, stretched } from "../src/pages/grey";
import { inputOf, targetsOf } from "../src/pages/kinds";
import { numberIn, rowOf, tableOf, words } from "../src/pages/rows";
import { linesOf, percentOf, sentenceOf } from "../src/pages/verdicts";

const tensor = (shape: number[], dtype: TensorSpec["dtype"] = "float32", quantization?: TensorSpec["quantization"]): TensorSpec => ({
  name: "x",
  shape,
  dtype,
  ...(quantization ? { quantization } : {}),
});
const bytes = { dtype: "uint8", min: 0, scale: 1 / 255 } as const;

describe("what an input is to a person", () => {
  test.each([
    [tensor([28, 28, 1], "float32", bytes), [28, 28, 1]],
    [tensor([32, 48, 3]), [48, 32, 3]],
    [tensor([8, 8], "float32", { dtype: "uint8", min: 0, scale: 1 / 16 }), [8, 8, 1]],
    [tensor([784], "float32", bytes), [28, 28, 1]],
  ])("a picture", (spec, sides) => {
    const found = inputOf(spec);
    expect(found.kind === "picture" && [found.width, found.height, found.channels]).toEqual(sides);
  });

  test.each([tensor([4]), tensor([64]), tensor([20, 12]), tensor([784], "int32"), tensor([]), tensor([9], "float32", bytes)])(
    "a row of numbers",
    (spec) => expect(inputOf(spec).kind).toBe("row"),
  );

  test.each([
    [bytes, 0, 1],
    [{ dtype: "uint8", min: 0, scale: 1 / 16 } as const, 0, 1],
    [{ dtype: "uint8", min: 0, scale: 1 } as const, 0, 255],
    [{ dtype: "uint8", min: -1, scale: 2 / 255 } as const, -1, 1],
    [{ dtype: "float16" } as const, 0, 1],
  ])("its ink is as dark as the owner's", (quantization, low, high) => {
    const found = inputOf(tensor([28, 28], "float32", quantization));
    if (found.kind !== "picture") throw new Error("no picture");
    expect([found.scale.low, found.scale.high]).toEqual([low, expect.closeTo(high, 6)]);
  });

  test("values are such as the owner's examples can have", () => {
    const found = inputOf(tensor([8, 8], "float32", { dtype: "uint8", min: 0, scale: 1 / 16 }));
    expect(found.kind === "picture" && [0.03, 0.04, 0.5, 1].map(found.scale.snap)).toEqual([0, 1 / 16, 0.5, 1]);
  });
});

describe("greys", () => {
  const grey = (width: number, values: number[]) => ({ width, height: values.length / width, values: Float32Array.from(values) });

  test("transparent is paper, and dark is ink where it is told so", () => {
    const rgba = Uint8ClampedArray.of(255, 255, 255, 255, 0, 0, 0, 255, 9, 9, 9, 0, 0, 0, 0, 255);
    expect([...greyOf(rgba, 2, 2, false).values]).toEqual([1, 0, 0, 0].map((value) => expect.closeTo(value, 6) as number));
    expect([...greyOf(rgba, 2, 2, true).values]).toEqual([0, 1, 0, 1].map((value) => expect.closeTo(value, 6) as number));
  });

  test("ink has a box and a centre", () => {
    const found = grey(4, [0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]);
    expect(inkBox(found)).toEqual({ left: 2, top: 1, right: 4, bottom: 2 });
    expect(centreOfMass(found)).toEqual({ x: 3, y: 1.5 });
    expect(inkBox(grey(2, [0, 0]))).toBeNull();
    expect(centreOfMass(grey(2, [0, 0]))).toEqual({ x: 1, y: 0.5 });
  });

  test("each block of pixels becomes their mean", () => {
    expect([...shrunk(grey(4, [1, 1, 0, 0, 1, 1, 0, 1]), 2).values]).toEqual([1, 0.25]);
  });

  test("dark on light is known by the border", () => {
    expect([hasLightBorder(grey(3, [1, 1, 1, 1, 0, 1, 1, 1, 1])), hasLightBorder(grey(3, [0, 0, 0, 0, 1, 0, 0, 0, 0]))]).toEqual([true, false]);
  });

  test("grey paper becomes paper, and grey ink ink", () => {
    const values = Array.from({ length: 100 }, (_, i) => (i < 90 ? 0.2 : 0.7));
    expect([...new Set(stretched(grey(10, values)).values)]).toEqual([0, 1]);
    expect(stretched(grey(2, [0.2, 0.2, 0.21, 0.2])).values[2]).toBeCloseTo(0.21);
  });
});

describe("rows", () => {
  test.each([
    ["1, 2,3", ["1", "2", "3"]],
    ["1 2\t3", ["1 2", "3"]],
    ["  1   2 ", ["1", "2"]],
    ['"1";"2,5"', ["1", "2,5"]],
    ["1,2,", ["1", "2"]],
  ])("%s", (line, found) => expect(words(line)).toEqual(found));

  test.each([["1", 1], ["-1.5e3", -1500], [".5", 0.5], ["2,5", 2.5], ["", null], ["0x10", null], ["1e999", null], ["Infinity", null]])(
    "%s is %s",
    (word, value) => expect(numberIn(word)).toBe(value),
  );

  test("what is wrong is told", () => {
    expect(rowOf(["1", "b"], 2, false)).toEqual({ wrong: "“b” is no number" });
    expect(rowOf(["1", "1.5"], 2, true)).toEqual({ wrong: "1.5 is no whole number" });
    expect(rowOf(["1"], 2, false)).toEqual({ wrong: "1 of 2 numbers" });
    expect(rowOf(["1", "2"], 2, false)).toEqual({ found: [1, 2] });
  });

  test("a table's first line may hold names, and lines know their numbers", () => {
    expect(tableOf("a,b\n1,2\r\n\n3,4\n")).toEqual([{ number: 2, words: ["1", "2"] }, { number: 4, words: ["3", "4"] }]);
    expect(tableOf("1,cat")).toEqual([{ number: 1, words: ["1", "cat"] }]);
  });
});

describe("what the model says", () => {
  const data = (shape: number[], labels: string[] | null): RunData => ({
    train_examples: 1,
    validation_examples: 1,
    inputs: [],
    targets: [tensor(shape)],
    labels,
    own: "never",
  });
  const said = (shape: number[], labels: string[] | null, loss: Parameters<typeof targetsOf>[1], values: number[]) => {
    const target = targetsOf(data(shape, labels), loss)[0]!;
    return sentenceOf(target, linesOf(target, values));
  };

  test("a class by its label, or its number", () => {
    expect(said([], ["cat", "dog"], "sparseCategoricalCrossentropy", [0.25, 0.75])).toBe("dog, 75 %");
    expect(said([], null, "sparseCategoricalCrossentropy", [0.999, 0.001])).toBe("0, 99.9 %");
    expect(said([2], ["cat", "dog"], "categoricalCrossentropy", [0.6, 0.4])).toBe("cat, 60 %");
  });

  test("yes or no, and several at once", () => {
    expect(said([], null, "binaryCrossentropy", [0.25])).toBe("no, 75 %");
    expect(said([1], ["cat", "dog"], "binaryCrossentropy", [0.75])).toBe("dog, 75 %");
    expect(said([3], ["a", "b", "c"], "binaryCrossentropy", [0.9, 0.2, 0.5])).toBe("a, 90 %; c, 50 %");
    expect(said([3], ["a", "b", "c"], "binaryCrossentropy", [0.1, 0.2, 0.4])).toBe("None of them.");
  });

  test("numbers as they are", () => {
    expect(said([], null, "meanSquaredError", [-12.345])).toBe("x: −12.3");
    expect(said([2], ["east", "north"], "meanSquaredError", [1, 2])).toBe("east: 1, north: 2");
  });

  test("of many classes the likeliest, first", () => {
    const values = Array.from({ length: 20 }, (_, i) => i / 190);
    const target = targetsOf(data([], null), "sparseCategoricalCrossentropy")[0]!;
    expect(linesOf(target, values).map(({ label }) => label)).toEqual(["19", "18", "17", "16", "15"]);
  });

  test.each([[0.5, "50 %"], [0.003, "0.3 %"], [0.997, "99.7 %"], [1, "100.0 %"]])("%s is %s", (share, text) => expect(percentOf(share)).toBe(text));
});
