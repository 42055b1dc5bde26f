/** When weights for predicting are asked for: never in a hurry, and never for nothing. */

import { beforeAll, expect, test } from "vitest";

import { Unavailable } from "../src/errors";
import { Predictor } from "../src/predictor";
import type { CurrentModel } from "../src/protocol";
import { Turns } from "../src/turns";
import { testClock } from "./clock";
import { digits, weightsFor } from "./specs";
import { useWasm } from "./wasm";

beforeAll(useWasm);

/** A predictor, and a server whose head moves when the test says so. */
function place() {
  const clock = testClock();
  const world = { version: 0, asked: 0, down: false };
  const blob = { url: "", sha256: "model", bytes: 1 };
  const getModel = (): Promise<CurrentModel> => {
    world.asked++;
    if (world.down) return Promise.reject(new Unavailable("down"));
    return Promise.resolve({ version: world.version, generation: 0, model: blob, checkpoint: blob, expires_in: 600 });
  };
  const api = { getModel, download: () => Promise.resolve(weightsFor(digits, world.version + 1)) };
  const blobs = { get: () => Promise.resolve(new TextEncoder().encode(JSON.stringify(digits)).buffer) };
  const predictor = new Predictor({ api, blobs, clock, run: "digits", turns: new Turns(), onModel: () => undefined });
  const ask = async () => (await predictor.predict([new Float32Array(64)])).version;
  return { clock, world, predictor, ask };
}

test("weights are kept as long as nobody says that there are newer ones, but not for ever", async () => {
  const { clock, world, ask } = place();
  expect(await ask()).toBe(0);
  world.version = 5;
  clock.spend(59_000);
  expect(await ask()).toBe(0);
  clock.spend(1_000);
  expect(await ask()).toBe(5);
  expect(world.asked).toBe(2);
});

test("of newer ones that are known of they are asked for, every three seconds at most", async () => {
  const { clock, world, predictor, ask } = place();
  await ask();
  world.version = 5;
  predictor.heard(5);
  expect(await ask()).toBe(0);
  clock.spend(3000);
  expect(await ask()).toBe(5);
  clock.spend(3000);
  await ask();
  expect(world.asked).toBe(2);
});

test("many questions at once ask once", async () => {
  const { world, ask } = place();
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([0, 0, 0]);
  expect(world.asked).toBe(1);
});

test("a server that is down costs nothing but newer weights", async () => {
  const { clock, world, ask } = place();
  world.down = true;
  await expect(ask()).rejects.toThrow(Unavailable);
  world.down = false;
  await ask();
  world.down = true;
  clock.spend(60_000);
  expect(await ask()).toBe(0);
});
