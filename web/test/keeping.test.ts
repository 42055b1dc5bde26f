/** What an optimizer has learnt outlives the page, in the browser's storage as fake-indexeddb has it. */

import { IDBFactory } from "fake-indexeddb";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";

import { Keeping } from "../src/keeping";
import type { OptimizerName, Training } from "../src/protocol";
import { browserStates, type Kept, type States } from "../src/states";
import { tf } from "../src/tf";
import { createTrainer, type Trained, type Trainer, type TrainRequest } from "../src/trainer";
import { Turns } from "../src/turns";
import { digits, shardFor, training, weightsFor } from "./specs";
import { useWasm } from "./wasm";

beforeAll(useWasm);
beforeEach(() => vi.stubGlobal("indexedDB", new IDBFactory()));
afterEach(() => void vi.unstubAllGlobals());

const shard = { body: shardFor(digits, 200), examples: 200 };

/** A page's worth of training, with a clock of its own. */
function page(states: States | null) {
  let now = 0;
  const restored: number[] = [];
  const clock = () => now;
  const keeping = states && new Keeping({ states, now: clock, onRestored: (steps) => restored.push(steps) });
  const trainer = createTrainer({ backend: "wasm", now: clock, turns: new Turns(), keeping, onBackend: () => undefined });
  return { trainer, restored, later: (ms: number) => void (now += ms) };
}

function request(optimizer: OptimizerName, change: Partial<Training> = {}, generation = 0): TrainRequest {
  const recipe = { ...training, optimizer, learning_rate: 0.01, ...change };
  return { spec: digits, checkpoint: weightsFor(digits), shard, seed: 1, offset: 0, training: recipe, generation, afterStep: () => true };
}

const deltaOf = ({ body }: Trained) => new Float32Array(body.slice().buffer);
const twice = async (trainer: Trainer, asked: TrainRequest) => [await trainer.train(asked), await trainer.train(asked)].map(deltaOf) as [Float32Array, Float32Array];

describe.each(["momentum", "adam", "muon"] as const)("%s", (optimizer) => {
  test("goes on after a reload as if there had been none", async () => {
    const [, uninterrupted] = await twice(page(null).trainer, request(optimizer));
    const first = page(await browserStates("run"));
    await first.trainer.train(request(optimizer));
    await first.trainer.save();
    const second = page(await browserStates("run"));
    const resumed = deltaOf(await second.trainer.train(request(optimizer)));
    expect(second.restored).toEqual([training.local_steps]);
    resumed.forEach((value, i) => expect(Math.abs(value - uninterrupted[i]!)).toBeLessThan(1e-6));
    const fresh = deltaOf(await page(null).trainer.train(request(optimizer)));
    expect(fresh.some((value, i) => Math.abs(value - uninterrupted[i]!) > 1e-3)).toBe(true);
  });

  test("gives all back that it held", async () => {
    const before = tf.memory().numTensors;
    const first = page(await browserStates("run"));
    await first.trainer.train(request(optimizer));
    await first.trainer.save();
    first.trainer.reset();
    const second = page(await browserStates("run"));
    await second.trainer.train(request(optimizer));
    await second.trainer.save();
    second.trainer.reset();
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe("what is kept", () => {
  test("is kept between tasks, every ten seconds at most", async () => {
    const states = (await browserStates("run"))!;
    const saved = vi.spyOn(states, "save");
    const { trainer, later } = page(states);
    await trainer.train(request("adam"));
    expect(saved).toHaveBeenCalledTimes(0);
    later(10_000);
    await trainer.train(request("adam"));
    await trainer.train(request("adam"));
    expect(saved).toHaveBeenCalledTimes(1);
  });

  test.each<[string, (kept: Kept) => unknown]>([
    ["of another generation", (kept) => ({ ...kept, generation: 1 })],
    ["of another recipe", (kept) => ({ ...kept, recipe: "meanSquaredError adam" })],
    ["with a number that is none", (kept) => ({ ...kept, slots: kept.slots.map(({ shape, values }) => ({ shape, values: values.map(() => NaN) })) })],
    ["of another model", (kept) => ({ ...kept, slots: kept.slots.slice(2) })],
    ["with a shape that is none", (kept) => ({ ...kept, slots: kept.slots.map(({ values }) => ({ shape: [1], values })) })],
    ["of no steps", (kept) => ({ ...kept, steps: 0 })],
    ["that is nonsense", () => ({ slots: "many" })],
    ["that is nothing", () => null],
  ])("and is %s is dropped without a word", async (_, spoilt) => {
    const states = (await browserStates("run"))!;
    const first = page(states);
    await first.trainer.train(request("adam"));
    await first.trainer.save();
    await states.save(spoilt((await states.load())!) as Kept);
    const { trainer, restored } = page(states);
    const fresh = deltaOf(await page(null).trainer.train(request("adam")));
    expect(deltaOf(await trainer.train(request("adam")))).toEqual(fresh);
    expect(restored).toEqual([]);
  });

  test("belongs to one run, and can be dropped", async () => {
    const [one, other] = [(await browserStates("one"))!, (await browserStates("other"))!];
    const kept = { generation: 0, recipe: "r", steps: 1, slots: [] };
    await one.save(kept);
    expect([await one.load(), await other.load()]).toEqual([kept, null]);
    await one.drop();
    expect(await one.load()).toBeNull();
  });
});

describe("a browser without storage", () => {
  test("that forbids it has no states, and trains all the same", async () => {
    vi.stubGlobal("indexedDB", { open: () => { throw new Error("denied"); } });
    expect(await browserStates("run")).toBeNull();
    vi.unstubAllGlobals();
    expect(await browserStates("run")).toBeNull(); // Node has none at all
  });

  test("whose disk is full trains on", async () => {
    const full: States = { load: () => Promise.reject(new Error("full")), save: () => Promise.reject(new Error("full")), drop: () => Promise.reject(new Error("full")) };
    const { trainer } = page(full);
    await trainer.train(request("adam"));
    await Promise.all([trainer.save(), trainer.drop()]);
    expect((await trainer.train(request("adam"))).steps).toBe(training.local_steps);
  });
});
