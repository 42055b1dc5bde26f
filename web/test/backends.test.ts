import { beforeAll, describe, expect, test } from "vitest";

import { chooseBackend, type Trial } from "../src/backends";
import { BadSpec, NoBackend } from "../src/errors";
import type { Spec } from "../src/protocol";
import { tf } from "../src/tf";
import { digits, mnist } from "./specs";
import { useWasm } from "./wasm";

beforeAll(useWasm);

/** A trial whose steps take so many milliseconds on each backend; a text is an error. */
function trialOf(spec: Spec, costs: Record<string, number | string>, only: Trial["only"] = null) {
  let now = 0;
  const steps: string[] = [];
  const disposed: string[] = [];
  const build = () => {
    const name = tf.getBackend();
    const step = () => {
      steps.push(name);
      const cost = costs[name]!;
      if (typeof cost === "string") return Promise.reject(new Error(cost));
      now += cost;
      return Promise.resolve();
    };
    return Promise.resolve({ step, dispose: () => void disposed.push(name) });
  };
  const trial: Trial = { spec, batch: 64, build, now: () => now, only };
  return { trial, steps, disposed };
}

describe("the backend is chosen by measuring", () => {
  test("a warm-up and four steps, and what it held is given back", async () => {
    const { trial, steps, disposed } = trialOf(mnist, { wasm: 10 });
    const choice = await chooseBackend(trial);
    expect(choice).toMatchObject({ name: "wasm", imagesPerSecond: 6400 });
    expect(steps).toEqual(Array(5).fill("wasm"));
    expect(disposed).toEqual(["wasm"]);
    expect(tf.getBackend()).toBe("wasm");
  });

  test("GPUs that are not there are named with the reason", async () => {
    const { measured } = await chooseBackend(trialOf(digits, { wasm: 10 }).trial);
    expect(measured).toEqual([
      { name: "webgpu", refused: "no adapter" },
      { name: "webgl", refused: "no WebGL 2 here" },
      { name: "wasm", imagesPerSecond: 6400 },
    ]);
  });

  test("a slow machine is not kept busy with measuring", async () => {
    const { trial, steps } = trialOf(mnist, { wasm: 3000 });
    await chooseBackend(trial);
    expect(steps.length).toBeLessThanOrEqual(3);
  });
});

describe("cpu is the last resort", () => {
  test("for a dense model, when nothing else can", async () => {
    const choice = await chooseBackend(trialOf(digits, { wasm: "a kernel is missing", cpu: 20 }).trial);
    expect(choice).toMatchObject({ name: "cpu", imagesPerSecond: 3200 });
  });

  test("never for a model with a convolution: it says so instead", async () => {
    const { trial, steps } = trialOf(mnist, { wasm: "a kernel is missing", cpu: 20 });
    const error: unknown = await chooseBackend(trial).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(NoBackend);
    expect((error as Error).message).toBe(
      "no backend can train this model (webgpu: no adapter; webgl: no WebGL 2 here; wasm: a kernel is missing)",
    );
    expect(steps).not.toContain("cpu");
  });

  test("not when one backend was asked for by name", async () => {
    await expect(chooseBackend(trialOf(digits, { wasm: "a kernel is missing", cpu: 20 }, "wasm").trial)).rejects.toThrow(NoBackend);
  });
});

test("what JavaScript says when a program stumbles is not shown to a visitor", async () => {
  const { trial } = trialOf(mnist, {});
  const build = () => Promise.reject(new TypeError("Cannot read properties of null (reading 'x')"));
  await expect(chooseBackend({ ...trial, build })).rejects.toThrow("wasm: it cannot build or train the model");
});

test("a spec that contradicts itself is no backend's fault", async () => {
  const { trial } = trialOf(digits, {});
  await expect(chooseBackend({ ...trial, build: () => Promise.reject(new BadSpec("no weight x")) })).rejects.toThrow(BadSpec);
});
