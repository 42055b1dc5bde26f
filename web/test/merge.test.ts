import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { merge, type Candidate } from "../src/merge";
import type { PeerRule } from "../src/protocol";

interface Golden {
  description: string;
  rule: { name: string };
  robust?: unknown;
  weights: number[];
  steps: number;
  updates: { base: number[]; delta: number[]; steps: number; accuracy?: number }[];
  expected: { weights: number[]; steps: number };
}

const all = JSON.parse(readFileSync(new URL("../../tests/golden/rules.json", import.meta.url), "utf8")) as Golden[];
const ours = all.filter(({ rule, robust }) => ["average", "weighted", "mimic", "copy"].includes(rule.name) && !robust);

const candidate = (weights: number[], steps: number, accuracy: number | null): Candidate => ({
  weights: Float32Array.from(weights),
  steps,
  accuracy,
});

test("there are golden numbers for every rule of peers", () => {
  expect(new Set(ours.map(({ rule }) => rule.name))).toEqual(new Set(["average", "weighted", "mimic", "copy"]));
});

test.each(ours)("as on the server: $description", ({ rule, weights, steps, updates, expected }) => {
  const found = updates.reduce(
    (own, { base, delta, steps: behind, accuracy }) =>
      merge(rule.name as PeerRule, own, candidate(base.map((value, i) => value + delta[i]!), behind, accuracy ?? null)),
    candidate(weights, steps, null),
  );
  expect([...found.weights]).toEqual(expected.weights);
  expect(found.steps).toBe(expected.steps);
});

describe("merging", () => {
  test("changes neither of the two", () => {
    const [own, peer] = [candidate([1, 2], 3, 0.5), candidate([5, 6], 7, 0.25)];
    for (const rule of ["average", "weighted", "mimic", "copy"] as const) merge(rule, own, peer);
    expect([[...own.weights], [...peer.weights]]).toEqual([[1, 2], [5, 6]]);
  });

  test("a copy takes the accuracy with the weights, so that a worse one does not replace it", () => {
    const better = merge("copy", candidate([1], 1, 0.5), candidate([2], 1, 0.75));
    expect(merge("copy", better, candidate([3], 1, 0.7)).weights[0]).toBe(2);
  });

  test("rounds to float32 after each operation, as numpy does", () => {
    const found = merge("weighted", candidate([0.1, 3], 3, null), candidate([0.2, -7], 7, null)).weights;
    const f = Math.fround;
    expect(found[0]).toBe(f(f(0.1) + f(f(f(0.2) - f(0.1)) * f(0.7))));
  });
});
