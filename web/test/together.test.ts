/** The whole client, with the real trainer, against a server over HTTP. */

import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createApi } from "../src/api";
import { join, type JoinOptions } from "../src/client";
import { systemClock } from "../src/clock";
import type { ClientEvent } from "../src/messages";
import { createBlobCache } from "../src/shards";
import { createTrainer } from "../src/trainer";
import { Turns } from "../src/turns";
import { refusal, TestServer, type World } from "./server";
import { smallWorld } from "./specs";
import { useWasm } from "./wasm";

beforeAll(useWasm);

let world: World;
let server: TestServer;
let events: ClientEvent[];

beforeEach(async () => {
  world = smallWorld({ versions: 40 });
  server = await TestServer.start(world);
  events = [];
});

afterEach(() => server.stop());

function clientOf(change: Partial<JoinOptions> = {}) {
  // Real time but for the pauses, which are cut to a hundredth.
  const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 100, signal) };
  const api = createApi({ base: server.api, clock });
  const trainer = createTrainer({ backend: "wasm", now: () => clock.now(), turns: new Turns(), keeping: null, onBackend: () => undefined });
  const parts = { api, trainer, blobs: createBlobCache(api, null), clock };
  return join({ ...parts, run: "digits", power: 100, onEvent: (event) => events.push(event), ...change });
}

async function runToTheEnd(): Promise<string> {
  const client = clientOf();
  client.start();
  return client.finished;
}

test("the shared model learns, and every shard is downloaded once", async () => {
  world.training = { ...world.training, learning_rate: 0.3 };
  expect(await runToTheEnd()).toBe("the run is finished");
  expect(server.version).toBe(40);
  expect(server.evaluations.at(-1)!.accuracy).toBeGreaterThan(0.9);
  for (const { body } of [...world.train, ...world.validation]) expect(server.downloadsOf(body)).toBe(1);
});

test("two clients share the work", async () => {
  const clients = [clientOf(), clientOf()];
  clients.forEach((client) => client.start());
  await Promise.all(clients.map((client) => client.finished));
  const workers = new Set([...server.updates.values()].map(({ client }) => client));
  expect(workers.size).toBe(2);
  expect(server.version).toBeGreaterThanOrEqual(40);
});

describe("in spite of", () => {
  test("every third request failing in one way or another", async () => {
    const ways = [refusal(503, "unavailable"), refusal(409, "conflict"), "drop", { status: 502, body: "bad gateway" }] as const;
    let requests = 0;
    server.fault = () => (++requests % 3 === 0 ? ways[requests % 4]! : null);
    expect(await runToTheEnd()).toBe("the run is finished");
    expect(server.version).toBe(40);
  });

  test("tokens that expire all the time", async () => {
    let requests = 0;
    server.fault = (_, path) => {
      if (path.endsWith("/updates") && ++requests % 5 === 0) server.expireTokens();
      return null;
    };
    expect(await runToTheEnd()).toBe("the run is finished");
    expect(events.filter(({ type }) => type === "joined").length).toBeGreaterThan(3);
  });

  test("answers lost after storage has taken the upload: nothing counts twice", async () => {
    const uploads = new Map<string, number>();
    server.afterwards = (_, path) => {
      if (!path.startsWith("/upload/")) return false;
      uploads.set(path, (uploads.get(path) ?? 0) + 1);
      return uploads.get(path) === 1;
    };
    expect(await runToTheEnd()).toBe("the run is finished");
    expect([...uploads.values()].every((times) => times === 2)).toBe(true);
    expect(server.updates.size).toBe(40);
    expect(server.version).toBe(40);
  });
});
