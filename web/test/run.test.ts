/** The library as a program sees it, against a server over HTTP, with the real trainer. */

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { InvalidData, NoData, NoWorker, Refused } from "../src/errors";
import { apiOf, joinWith, listRuns } from "../src/joining";
import type { Run } from "../src/run";
import { heard, joined } from "./seat";
import { TestServer, type World } from "./server";
import { smallWorld } from "./specs";
import { useWasm } from "./wasm";

beforeAll(useWasm);

let world: World;
let server: TestServer;
const runs: Run[] = [];

async function serving(change: Partial<World> = {}): Promise<Run> {
  world = smallWorld({ versions: 1e6, ...change });
  server = await TestServer.start(world);
  const run = await joined(server.api);
  runs.push(run);
  return run;
}

beforeEach(() => void runs.splice(0));
afterEach(async () => {
  for (const run of runs) run.close();
  await server.stop();
});

/** Resolves at the next event of a type. */
const next = (run: Run, type: Parameters<Run["on"]>[0]) => new Promise<void>((resolve) => void run.on(type, () => resolve()));

/** The digits net by hand. */
function byHand(weights: Float32Array, image: number[]): number[] {
  const layer = (x: number[], start: number, width: number) =>
    Array.from({ length: width }, (_, j) => x.reduce((sum, value, i) => sum + value * weights[start + i * width + j]!, weights[start + x.length * width + j]!));
  const hidden = layer(image, 0, 32).map((value) => Math.max(0, value));
  const scores = layer(hidden, 64 * 32 + 32, 10).map(Math.exp);
  const total = scores.reduce((a, b) => a + b);
  return scores.map((score) => score / total);
}

const image = (seed: number) => Array.from({ length: 64 }, (_, i) => ((i * seed) % 17) / 16);

describe("joining", () => {
  test("gives the run's description; a run that is not there is refused", async () => {
    const run = await serving();
    expect(run.description).toMatchObject({ run: "digits", data: { own: "never" } });
    await expect(joinWith(() => null, server.api, "nobody-made-it")).rejects.toMatchObject({ name: "Refused", code: "missing" } satisfies Partial<Refused>);
    expect((await listRuns(server.api)).map(({ run: name }) => name)).toEqual(["digits"]);
  });

  test.each([undefined, "", null])("without a run's name is refused at once, whatever the API says: %j", async (name) => {
    await expect(joinWith(() => null, "http://127.0.0.1:9", name as string)).rejects.toThrow(/join\(api, run\): run is the name/);
  });

  test("can be broken off", async () => {
    await serving();
    await expect(joinWith(() => null, server.api, "digits", AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
  });

  test("a site says where its API is", async () => {
    await serving();
    server.fault = (_, path) => (path === "/site/config.json" ? { status: 200, body: { api: "../api" } } : null);
    const site = new URL("/site/index.html?run=digits", server.api).href;
    expect(await apiOf(site)).toBe(server.api);
  });

  test("a site that shows a page for all it does not have is said to have no API", async () => {
    await serving();
    const page = createServer((_, answer) => answer.end("<!doctype html>")).listen(0, "127.0.0.1");
    await once(page, "listening");
    await expect(apiOf(`http://127.0.0.1:${(page.address() as AddressInfo).port}/`)).rejects.toMatchObject({ name: "Unavailable" });
    page.close();
  });
});

describe("contributing", () => {
  test("goes on until the run is over", async () => {
    const run = await serving({ versions: 6 });
    const events = heard(run, "joined", "uploaded", "stopped");
    expect(await run.contribute().finished).toBe("the run is finished");
    expect(server.version).toBe(6);
    expect(events.map(({ type }) => type)).toEqual(["joined", ...Array.from({ length: 6 }, () => "uploaded"), "stopped"]);
  });

  test("stops when told to, or when the signal aborts, and may begin again", async () => {
    const run = await serving();
    const part = run.contribute();
    expect(() => run.contribute()).toThrow("already");
    await next(run, "uploaded");
    expect(await part.stop()).toBe("left");
    const abort = new AbortController();
    const again = run.contribute({ signal: abort.signal });
    await next(run, "uploaded");
    abort.abort();
    expect(await again.finished).toBe("left");
    expect(() => run.contribute({ signal: abort.signal })).toThrow();
  });

  test("a pause holds, and a listener that has left hears nothing", async () => {
    const run = await serving();
    const silenced = new AbortController();
    const heardBy = { signal: 0, off: 0 };
    run.on("uploaded", () => heardBy.signal++, { signal: silenced.signal });
    const off = run.on("uploaded", () => heardBy.off++);
    const part = run.contribute();
    await next(run, "uploaded");
    silenced.abort();
    off();
    const before = { ...heardBy };
    await next(run, "uploaded");
    part.pause();
    await next(run, "paused");
    part.resume();
    await next(run, "uploaded");
    expect(heardBy).toEqual(before);
  });

  test("one that has ended has no say in the next", async () => {
    const run = await serving();
    const first = run.contribute();
    await first.stop();
    const events = heard(run, "paused", "uploaded");
    const second = run.contribute();
    first.pause();
    first.setPower(1);
    await next(run, "uploaded");
    expect(events.map(({ type }) => type)).toEqual(["uploaded"]);
    await second.stop();
  });

  test("a worker that was prepared is the one that works, and is told nothing before", async () => {
    await serving();
    const said: string[][] = [];
    const run = await joinWith(
      () => {
        const words: string[] = [];
        said.push(words);
        return { say: ({ type }) => void words.push(type), dismiss: () => undefined };
      },
      server.api,
      "digits",
    );
    run.prepare();
    run.prepare();
    expect(said).toEqual([["open"]]);
    run.contribute();
    expect(said).toEqual([["open", "join"]]);
  });

  test.each([
    [NaN, RangeError],
    [0, RangeError],
    [101, RangeError],
    ["50", TypeError],
    [null, TypeError],
  ])("a power of %j is refused, and changes nothing", async (power, kind) => {
    await serving();
    const said: unknown[] = [];
    const run = await joinWith(() => ({ say: (message) => void said.push(message), dismiss: () => undefined }), server.api, "digits");
    expect(() => run.contribute({ power: power as number })).toThrow(kind);
    expect(said).toEqual([]);
    const part = run.contribute();
    expect(() => part.setPower(power as number)).toThrow(/from 1 to 100/);
    expect(said).toMatchObject([{ type: "open" }, { type: "join", power: 100 }]);
  });

  test("where there is no worker it ends with an error that says so", async () => {
    await serving();
    const run = await joinWith(() => null, server.api, "digits");
    const events = heard(run, "error", "stopped");
    await expect(run.contribute().finished).rejects.toThrow(NoWorker);
    expect(events.map(({ type }) => type)).toEqual(["error", "stopped"]);
    await expect(run.predict(image(1))).rejects.toThrow(NoWorker);
  });

  test("closing ends it, and what is asked afterwards begins anew", async () => {
    const run = await serving();
    const part = run.contribute();
    await next(run, "uploaded");
    run.close();
    expect(await part.finished).toBe("left");
    expect((await run.predict(image(1))).outputs[0]!.shape).toEqual([1, 10]);
  });
});

describe("predicting", () => {
  test("gives what the newest weights make of one example or several", async () => {
    const run = await serving();
    const models = heard(run, "model");
    const { outputs, version } = await run.predict(image(3));
    expect([outputs[0]!.name, outputs[0]!.shape, version]).toEqual(["classes", [1, 10], 0]);
    byHand(server.weights, image(3)).forEach((value, i) => expect(outputs[0]!.values[i]).toBeCloseTo(value, 5));
    const both = await run.predict([Float32Array.from([...image(3), ...image(5)])]);
    expect(both.outputs[0]!.shape).toEqual([2, 10]);
    byHand(server.weights, image(5)).forEach((value, i) => expect(both.outputs[0]!.values[10 + i]).toBeCloseTo(value, 5));
    expect(models).toEqual([{ type: "model", version: 0 }]);
  });

  test("beside training changes nothing of that, and is answered while it goes on", async () => {
    const run = await serving({ versions: 8, train: smallWorld().train.slice(0, 1) });
    const part = run.contribute({ backend: "wasm" });
    const over = part.finished.then(() => true);
    let predictions = 0;
    for (let done = false; !done; predictions++) done = await Promise.race([over, run.predict(image(predictions)).then(() => false)]);
    expect(predictions).toBeGreaterThan(3);
    const alone = await TestServer.start(world);
    const other = await joined(alone.api);
    await other.contribute({ backend: "wasm" }).finished;
    expect(server.weights).toEqual(alone.weights);
    await alone.stop();
  });

  test("what does not fit is refused by the name of the tensor", async () => {
    const run = await serving();
    await expect(run.predict([1, 2, 3])).rejects.toMatchObject({ name: "InvalidData", tensor: "image" } satisfies Partial<InvalidData>);
    await expect(run.predict([image(1), image(2)])).rejects.toThrow("2 inputs were given where the model has 1 (image)");
    await expect(run.predict([...image(1).slice(1), NaN])).rejects.toThrow("number 63 of image is NaN");
    await expect(run.predict([...image(1).slice(1), 1e300])).rejects.toThrow("number 63 of image is 1e+300, which is no float32");
    const holed: unknown[][] = [[...image(1).slice(1), null], [[...image(1).slice(1), ""]], [null, ...image(1).slice(1)]];
    for (const values of holed) {
      await expect(run.predict(values as number[])).rejects.toMatchObject({ message: expect.stringMatching(/number (63|0) of image is (null|""), which/) as string, tensor: "image" });
    }
    for (const nothing of [undefined, null, {}, [null], [undefined], Array(64)]) {
      await expect(run.predict(nothing as number[])).rejects.toBeInstanceOf(InvalidData);
    }
  });

  test("can be given up, and closing gives all up", async () => {
    const run = await serving();
    const abort = new AbortController();
    const asked = run.predict(image(1), { signal: abort.signal });
    const left = run.predict(image(1));
    abort.abort(new Error("enough"));
    await expect(asked).rejects.toThrow("enough");
    run.close();
    await expect(left).rejects.toThrow("closed");
  });
});

describe("data of one's own", () => {
  const own = (examples: number) => ({
    inputs: [Array.from({ length: examples }, (_, i) => image(i + 1)).flat()],
    targets: [Array.from({ length: examples }, (_, i) => i % 10)],
  });

  test("is trained on instead of shards, which are not asked for", async () => {
    const run = await serving({ own: "may" });
    const part = run.contribute({ data: own(40) });
    await next(run, "uploaded");
    await part.stop();
    for (const { body } of world.train) expect(server.downloadsOf(body)).toBe(0);
    // 40 are fewer than a batch of 64: each step is on all of them.
    expect([...server.updates.values()][0]!.announcement).toMatchObject({ local_steps: 4, examples: 160 });
  });

  test("may become others: the same client goes on, and sends nothing more of what it had", async () => {
    const run = await serving({ own: "may" });
    const joins = heard(run, "joined");
    const part = run.contribute({ data: own(40) });
    await next(run, "step");
    await part.stop();
    const before = server.updates.size;
    const other = run.contribute({ data: own(8) });
    await next(run, "uploaded");
    await other.stop();
    const sent = [...server.updates.values()].slice(before).map(({ announcement }) => announcement.examples);
    expect(new Set(sent)).toEqual(new Set([4 * 8]));
    expect(joins).toHaveLength(2);
    expect(joins[1]).toEqual(joins[0]);
    expect((await listRuns(server.api))[0]!.clients).toBe(1);
  });

  test("may become others of a client that the server has forgotten meanwhile: it is a new one", async () => {
    const run = await serving({ own: "may" });
    const joins = heard(run, "joined") as { clientId: string }[];
    const part = run.contribute({ data: own(40) });
    await next(run, "joined");
    await part.stop();
    server.expireTokens();
    const other = run.contribute({ data: own(8) });
    await next(run, "uploaded");
    await other.stop();
    expect(new Set(joins.map(({ clientId }) => clientId)).size).toBe(2);
  });

  test("serves a run without shards", async () => {
    const run = await serving({ own: "must", versions: 5 });
    expect(() => run.contribute()).toThrow(NoData);
    expect(await run.contribute({ data: own(100) }).finished).toBe("the run is finished");
  });

  test("is refused where the run wants none", async () => {
    const run = await serving();
    expect(() => run.contribute({ data: own(10) })).toThrow(InvalidData);
  });

  test.each([
    ["image", { inputs: [[1, 2, 3]], targets: [[0]] }, "image has 3 numbers, where each example takes 64, of shape [64]"],
    ["label", { ...own(2), targets: [[0, 1, 2]] }, "label has 3 examples, image has 2"],
    ["label", { ...own(2), targets: [[0, null as unknown as number]] }, "number 1 of label is null, which is no int32"],
    [null, { inputs: [], targets: [[0]] }, "0 inputs were given where the model has 1 (image)"],
  ])("of a wrong shape is refused at once, by the name of the tensor: %s", async (tensor, data, message) => {
    const run = await serving({ own: "may" });
    const contribute = () => run.contribute({ data });
    expect(contribute).toThrow(message);
    expect(contribute).toThrow(expect.objectContaining({ name: "InvalidData", tensor }));
    expect(server.log.filter((line) => line.startsWith("POST"))).toEqual([]);
  });

  test.each([
    [{ ...own(2), targets: [[0, 10]] }, "label has the class 10, where classes are whole numbers from 0 to 9"],
    [{ ...own(2), targets: [[0, -1]] }, "label has the class -1"],
    [{ ...own(2), targets: [[0, 1.5]] }, "number 1 of label is 1.5, which is no int32"],
    [{ ...own(2), targets: [[0, 2 ** 32]] }, "number 1 of label is 4294967296, which is no int32"],
    [{ ...own(1), inputs: [[...image(1).slice(1), Infinity]] }, "number 63 of image is Infinity, which is no float32"],
  ])("with values that the model cannot learn ends it with an error", async (data, message) => {
    const run = await serving({ own: "may" });
    await expect(run.contribute({ data, backend: "wasm" }).finished).rejects.toThrow(message);
    expect(server.updates.size).toBe(0);
  });
});
