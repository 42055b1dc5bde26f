/** What visitors bring: what their words mean, how examples become data, and where they are kept; in fake-indexeddb. */

import { IDBFactory, IDBObjectStore } from "fake-indexeddb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { dataOf, grouped, type Example } from "../src/pages/own_examples";
import { createStore } from "../src/pages/own_store";
import { classesOf, columnsOf, targetIn } from "../src/pages/own_targets";
import type { Target } from "../src/pages/kinds";
import { mulberry32 } from "../src/shuffle";

const classes: Target = { name: "kind", meaning: "classes", size: 1, index: true, labels: ["left", "middle", "right"] };
const numbered: Target = { ...classes, labels: null };
const oneHot: Target = { name: "kind", meaning: "classes", size: 3, index: false, labels: null };
const yes: Target = { name: "spam", meaning: "yes", size: 1, index: false, labels: null };
const each: Target = { name: "holds", meaning: "each", size: 3, index: false, labels: ["a", "b", "c"] };
const numbers: Target = { name: "where", meaning: "numbers", size: 2, index: false, labels: null };
const TARGETS = { classes, numbered, oneHot, yes, each, numbers };

describe("what is written in a table", () => {
  test.each<[keyof typeof TARGETS, string[], number[], string]>([
    ["classes", ["middle"], [1], "middle"],
    ["classes", ["2"], [2], "right"],
    ["numbered", ["41"], [41], "41"],
    ["oneHot", ["1"], [0, 1, 0], "1"],
    ["yes", ["yes"], [1], "yes"],
    ["yes", ["0"], [0], "no"],
    ["each", ["1", "0", "1"], [1, 0, 1], "1, 0, 1"],
    ["numbers", ["-1,5", "2e3"], [-1.5, 2000], "-1,5, 2e3"],
  ])("for %s %j is %j", (target, words, values, said) => {
    expect(targetIn(TARGETS[target], words)).toEqual({ found: { values, words: said } });
  });

  test.each<[keyof typeof TARGETS, string[], string]>([
    ["classes", ["up"], "“up” is no class of kind: they are left, middle, right"],
    ["classes", ["3"], "“3” is no class of kind: they are left, middle, right"],
    ["classes", ["-1"], "“-1” is no class of kind: they are left, middle, right"],
    ["classes", ["1.5"], "“1.5” is no class of kind: they are left, middle, right"],
    ["classes", ["Left"], "“Left” is no class of kind: they are left, middle, right"],
    ["classes", [], "“” is no class of kind: they are left, middle, right"],
    ["classes", ["x".repeat(25)], `“${"x".repeat(20)}…” is no class of kind: they are left, middle, right`],
    ["numbered", ["cat"], "“cat” is no class of kind"],
    ["numbered", ["Infinity"], "“Infinity” is no class of kind"],
    ["oneHot", ["3"], "“3” is no class of kind: they are 0, 1, 2"],
    ["yes", ["2"], "“2” is no class of spam: they are no, yes"],
    ["each", ["1", "b", "0"], "“b” is no number"],
    ["each", ["1"], "1 of 3 numbers"],
    ["numbers", ["1", "2", "3"], "3 of 2 numbers"],
    ["numbers", ["1", "NaN"], "“NaN” is no number"],
  ])("for %s %j is refused with words", (target, words, wrong) => {
    expect(targetIn(TARGETS[target], words)).toEqual({ wrong });
  });

  test.each(Object.values(TARGETS))("takes as many columns as it is read from, and gives what the model is trained towards: $meaning, by number: $index", (target) => {
    const columns = Array.from({ length: columnsOf(target) }, () => "1");
    const parsed = targetIn(target, columns);
    expect("found" in parsed && parsed.found.values).toHaveLength(target.size);
    if (target.meaning !== "numbers" && target.meaning !== "each") expect(columns).toHaveLength(1);
  });

  test("every class is found by its name and by its number, the same", () => {
    for (const target of [classes, oneHot, yes]) {
      classesOf(target)!.forEach((name, at) => expect(targetIn(target, [name])).toEqual(targetIn(target, [String(at)])));
    }
    expect(classesOf(numbered)).toBeNull(); // how many there are is not known to a page
  });

  test("where classes are named by numbers the name goes before the number", () => {
    expect(targetIn({ ...classes, labels: ["2", "1", "0"] }, ["2"])).toEqual({ found: { values: [0], words: "2" } });
  });
});

const anExample = (words: string, ...numbers: number[]): Example => ({
  inputs: [Float32Array.from(numbers), Float32Array.of(numbers.length)],
  targets: [[numbers[0]!], [1, 2, 3]],
  words,
});

describe("examples", () => {
  const random = mulberry32(7);
  const many = Array.from({ length: 200 }, () => anExample("abcde"[Math.floor(random() * 5)]!, random(), random(), random()));

  test("as data are one after another, each input and target by itself", () => {
    const data = dataOf(many)!;
    const [pixels, counts, first, rows] = [...data.inputs, ...data.targets].map((values) => Array.from(values));
    expect(pixels).toEqual(many.flatMap(({ inputs }) => [...inputs[0]!]));
    expect(counts).toEqual(many.map(() => 3));
    expect(first).toEqual(many.map(({ targets }) => Math.fround(targets[0]![0]!)));
    expect(rows).toEqual(many.flatMap(() => [1, 2, 3]));
  });

  test("are copied: what the page does with its own changes nothing that is trained on", () => {
    const one = anExample("a", 1, 2, 3);
    const data = dataOf([one])!;
    one.inputs[0]!.fill(9);
    expect(Array.from(data.inputs[0]!)).toEqual([1, 2, 3]);
  });

  test("that are none are no data", () => expect(dataOf([])).toBeNull());

  test("come in groups by what they are of, in the order of the first, and none is lost", () => {
    const groups = grouped(many);
    expect([...groups.keys()]).toEqual([...new Set(many.map(({ words }) => words))]);
    for (const [words, group] of groups) expect(group).toEqual(many.filter((example) => example.words === words));
    expect(grouped([]).size).toBe(0);
  });
});

describe("the store", () => {
  const kept = [anExample("a", 1, 2, 3), anExample("b", 4, 5, 6)];

  beforeEach(() => vi.stubGlobal("indexedDB", new IDBFactory()));
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  test("keeps examples for whoever comes again, as they were", async () => {
    await createStore("run").save(kept);
    const found = await createStore("run").load();
    expect(found).toEqual(kept);
    expect(found[0]!.inputs[0]).toBeInstanceOf(Float32Array);
  });

  test("keeps what was saved last, and the examples of other runs apart", async () => {
    const store = createStore("run");
    await store.save(kept);
    await store.save(kept.slice(1));
    await createStore("other").save(kept);
    expect(await createStore("run").load()).toEqual(kept.slice(1));
    await store.forget();
    expect(await createStore("run").load()).toEqual([]);
    expect(await createStore("other").load()).toEqual(kept);
  });

  test("of nobody's is empty", async () => expect(await createStore("run").load()).toEqual([]));

  test("takes no nonsense for examples", async () => {
    await createStore("run").save("nonsense" as unknown as Example[]);
    expect(await createStore("run").load()).toEqual([]);
  });

  test("has nothing where the browser's storage never answers, and says so soon", async () => {
    vi.useFakeTimers();
    vi.stubGlobal("indexedDB", { open: () => ({}) });
    const found = createStore("run").load();
    await vi.advanceTimersByTimeAsync(3000);
    vi.useRealTimers();
    expect(await found).toEqual([]);
  });

  test("says so when there is no room, though it shows only at the end", async () => {
    const put = IDBObjectStore.prototype.put;
    vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, ...given) {
      const request = put.apply(this, given);
      request.addEventListener("success", () => this.transaction.abort()); // as a browser does where a quota is passed
      return request;
    });
    await expect(createStore("run").save(kept)).rejects.toThrow();
    vi.restoreAllMocks();
    expect(await createStore("run").load()).toEqual([]);
  });

  test.each(["that has no storage", "that forbids it"])("in a browser %s keeps nothing, and saving says so", async (which) => {
    vi.stubGlobal("indexedDB", which === "that has no storage" ? undefined : { open: () => { throw new DOMException("denied", "SecurityError"); } });
    const store = createStore("run");
    expect(await store.load()).toEqual([]);
    await expect(store.save(kept)).rejects.toThrow();
    await store.forget();
  });
});
