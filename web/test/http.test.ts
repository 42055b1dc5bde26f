import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createApi, type Api } from "../src/api";
import { backoff } from "../src/clock";
import { Corrupt, Refused, Stale, Unavailable } from "../src/errors";
import { sha256 } from "../src/sha256";
import { testClock, type TestClock } from "./clock";
import { refusal, TestServer } from "./server";
import { smallWorld } from "./specs";

let server: TestServer;
let clock: TestClock;
let api: Api;

beforeEach(async () => {
  server = await TestServer.start(smallWorld());
  clock = testClock();
  api = createApi({ base: server.api, clock });
});

afterEach(() => server.stop());

/** Fails the first `times` requests that match, in the given way. */
function failing(times: number, match: RegExp, how: ReturnType<TestServer["fault"]>): () => number {
  let failed = 0;
  server.fault = (method, path) => (match.test(`${method} ${path}`) && failed++ < times ? how : null);
  return () => failed;
}

describe("what may pass is tried again", () => {
  test.each([429, 500, 502, 503, 504])("an answer of %s from the gateway", async (status) => {
    failing(2, /runs/, { status, body: { message: "Internal server error" } });
    expect((await api.getRun("digits")).title).toBe("Handwritten digits");
    expect(clock.slept).toHaveLength(2);
  });

  test("a cut connection", async () => {
    failing(2, /runs/, "drop");
    expect((await api.listRuns()).runs).toHaveLength(1);
  });

  test("an answer that is not JSON", async () => {
    failing(1, /runs/, { status: 200, body: Buffer.from("<html>") });
    expect((await api.listRuns()).runs).toHaveLength(1);
  });

  test("pauses grow, with jitter, and Retry-After is respected", async () => {
    const pauses = [0, 1, 2, 3].map((attempt) => backoff(attempt, () => 1));
    expect(pauses).toEqual([500, 1000, 2000, 4000]);
    expect(backoff(3, () => 0)).toBe(400);
    expect(backoff(60, () => 1)).toBe(30_000);

    failing(1, /runs/, { status: 503, body: {}, headers: { "retry-after": "7" } });
    await api.listRuns();
    expect(clock.slept).toEqual([7000]);
  });

  test("but not for ever", async () => {
    const failed = failing(100, /runs/, { status: 503, body: {} });
    await expect(api.listRuns()).rejects.toThrow(Unavailable);
    expect(failed()).toBe(4);
  });

  test("a server that never answers is given up after the time-out", async () => {
    const silent: typeof fetch = (_url, init) =>
      new Promise((_, reject) => init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason as Error)));
    const patient = createApi({ base: server.api, clock, fetch: silent, timeoutMs: 20, attempts: 2 });
    await expect(patient.listRuns()).rejects.toThrow(Unavailable);
    expect(clock.slept).toHaveLength(1);
  });
});

describe("what will stay wrong is not repeated", () => {
  test.each([
    [400, "invalid"],
    [401, "unauthorized"],
    [404, "missing"],
    [409, "conflict"],
    [413, "too_large"],
    [500, "corrupt"],
    [500, "internal"],
  ])("%s %s", async (status, code) => {
    const failed = failing(100, /tasks/, refusal(status, code));
    const error: unknown = await api.nextTask("digits", "token").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Refused);
    expect(error).toMatchObject({ status, code });
    expect(failed()).toBe(1);
  });

  test.each([
    ["the gateway's JSON", { message: "Forbidden" }],
    ["a proxy's page", Buffer.from("<html><h1>Blocked</h1></html>")],
    ["half of our own shape", { error: { code: "invalid" } }],
  ])("a 403 that is not the server's own (%s) is no verdict of the server's, and is told in a sentence", async (_, body) => {
    const failed = failing(100, /tasks/, { status: 403, body });
    const error: unknown = await api.nextTask("digits", "token").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Unavailable);
    expect((error as Error).message).toBe("something between this page and the server answered 403");
    expect(failed()).toBe(1);
  });

  test("a code that only a newer server knows is a failure of this call, and no more", async () => {
    failing(1, /tasks/, refusal(409, "postponed"));
    await expect(api.nextTask("digits", "token")).rejects.toMatchObject({ status: 409, code: "internal" });
  });

  test("an answer of a shape that this page does not know", async () => {
    const failed = failing(100, /tasks/, { status: 200, body: { kind: "dance" } });
    await expect(api.nextTask("digits", "token")).rejects.toThrow("the server's answer is not one that this page knows: task.kind");
    expect(failed()).toBe(1);
  });

  test("curiosity about an update", async () => {
    const failed = failing(100, /updates/, { status: 429, body: {}, headers: { "retry-after": "99999" } });
    await expect(api.getUpdate("digits", "token", "u")).rejects.toThrow(Unavailable);
    expect([failed(), clock.slept]).toEqual([1, []]);
  });

  test("an expired presigned URL", async () => {
    const blob = { url: `${server.api.replace("/api", "")}/blobs/gone`, sha256: "0".repeat(64), bytes: 3 };
    await expect(api.download(blob)).rejects.toThrow(Stale);
  });
});

describe("blobs", () => {
  const trainTask = async () => {
    const { token } = await api.join("digits");
    const task = await api.nextTask("digits", token);
    if (task.kind !== "evaluate") throw new Error("the first task of the test server is an evaluation");
    return task;
  };

  test("arrive, are checked and counted", async () => {
    const { checkpoint } = await trainTask();
    const before = api.traffic.down;
    const body = await api.download(checkpoint);
    expect(await sha256(body)).toBe(checkpoint.sha256);
    expect(api.traffic.down - before).toBe(checkpoint.bytes);
  });

  test("a torn download is repeated", async () => {
    const { checkpoint } = await trainTask();
    failing(1, /blobs/, { status: 200, body: Buffer.alloc(checkpoint.bytes - 1) });
    expect((await api.download(checkpoint)).byteLength).toBe(checkpoint.bytes);
  });

  test("bytes with another hash are never handed on", async () => {
    const { checkpoint } = await trainTask();
    const failed = failing(100, /blobs/, { status: 200, body: Buffer.alloc(checkpoint.bytes) });
    await expect(api.download(checkpoint)).rejects.toThrow(Corrupt);
    expect(failed()).toBe(4);
  });

  test("of a size that no timer can count are asked for all the same", async () => {
    const { checkpoint } = await trainTask();
    await expect(api.download({ ...checkpoint, bytes: 1e15 })).rejects.toThrow(Corrupt);
  });

  test("no token is sent with a presigned URL", async () => {
    const { checkpoint } = await trainTask();
    const seen: Headers[] = [];
    const listening: typeof fetch = (url, init) => {
      seen.push(new Headers(init?.headers));
      return fetch(url, init);
    };
    await createApi({ base: server.api, clock, fetch: listening }).download(checkpoint);
    expect(seen.map((headers) => headers.get("authorization"))).toEqual([null]);
  });
});

test("an upload sends the ticket's fields in order, and the file last", async () => {
  const forms: [string, FormDataEntryValue][][] = [];
  const listening: typeof fetch = (_url, init) => {
    forms.push([...(init!.body as FormData).entries()]);
    return Promise.resolve(new Response(null, { status: 204 }));
  };
  const sender = createApi({ base: server.api, clock, fetch: listening });
  await sender.upload({ url: "http://storage.invalid/", fields: { key: "k", policy: "p", a: "z" } }, new Uint8Array([1, 2, 3]));

  const [form] = forms;
  expect(form!.map(([name]) => name)).toEqual(["key", "policy", "a", "file"]);
  expect(new Uint8Array(await (form![3]![1] as File).arrayBuffer())).toEqual(new Uint8Array([1, 2, 3]));
  expect(sender.traffic.up).toBe(3);
});

test("an abort ends a call, between tries too", async () => {
  const stop = new AbortController();
  server.fault = () => {
    stop.abort(new Error("enough"));
    return { status: 503, body: {} };
  };
  await expect(api.listRuns(stop.signal)).rejects.toThrow("enough");
});

test("a base URL may end in a slash", async () => {
  expect((await createApi({ base: `${server.api}/`, clock }).listRuns()).runs).toHaveLength(1);
});
