import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

import { batch, mulberry32, permutation } from "../src/shuffle";

interface Golden {
  seed: number;
  n: number;
  order: number[];
}

const golden = JSON.parse(readFileSync(new URL("../../tests/golden/shuffle.json", import.meta.url), "utf8")) as Golden[];

test("there are golden shuffles", () => {
  expect(golden.length).toBeGreaterThan(3);
});

test.each(golden)("the shuffle of $n from seed $seed", ({ seed, n, order }) => {
  expect([...permutation(seed, n)]).toEqual(order);
});

test("the shuffles that docs/openapi.yaml prints", () => {
  expect([...permutation(1, 10)]).toEqual([7, 8, 3, 2, 1, 5, 9, 4, 0, 6]);
  expect([...permutation(4294967295, 10)]).toEqual([3, 0, 9, 4, 2, 7, 6, 5, 1, 8]);
});

test("mulberry32 gives numbers in [0, 1), evenly", () => {
  const random = mulberry32(9);
  const numbers = Array.from({ length: 10_000 }, random);
  expect(numbers.every((value) => value >= 0 && value < 1)).toBe(true);
  expect(numbers.reduce((a, b) => a + b) / numbers.length).toBeCloseTo(0.5, 1);
});

test("a step's examples follow the offset and wrap around the end of the shard", () => {
  const order = permutation(42, 10);
  expect([...batch(order, 7, 0, 4)]).toEqual([order[7], order[8], order[9], order[0]]);
  expect([...batch(order, 7, 1, 4)]).toEqual([order[1], order[2], order[3], order[4]]);
});

test("a batch larger than the shard goes round more than once", () => {
  const order = permutation(1, 3);
  expect([...batch(order, 0, 0, 7)]).toEqual([0, 1, 2, 0, 1, 2, 0].map((i) => order[i]));
});
