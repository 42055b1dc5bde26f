/** The client, and the API module as it is, against servers that answer what they should not. */

import { describe, expect, test } from "vitest";

import { createApi } from "../src/api";
import { join } from "../src/client";
import type { ClientEvent } from "../src/messages";
import { sha256 } from "../src/sha256";
import { evaluateTask, Harness, stopTask, trainTask } from "./harness";

const MINUTES = 10;
const MOST_REQUESTS = 1000;

const body = new Uint8Array([1, 2, 3, 4]);
const blob = { url: "https://storage.invalid/blob", sha256: await sha256(body), bytes: 4 };
const train = { ...trainTask(0), checkpoint: blob };
const evaluate = { ...evaluateTask, checkpoint: blob };
const ticket = { update_id: "u", upload: { url: "https://storage.invalid/upload", fields: {} }, expires_in: 600 };
const html = "<html><body><h1>Blocked by proxy</h1></body></html>";

type Route = "join" | "task" | "announce" | "update" | "report" | "upload" | "blob";
type Strange = Partial<Record<Route, (request: number) => unknown>>;

/** Another status than 200, or a body that is not JSON. */
class Raw {
  constructor(
    readonly status: number,
    readonly text: string,
  ) {}
}

const usual: Record<Route, () => unknown> = {
  join: () => ({ client_id: "c", token: "t", expires_in: 3600 }),
  task: () => train,
  announce: () => ticket,
  update: () => ({ update_id: "u", state: "merged", reason: null, base_version: 0, version: 1, staleness: 0, discount: 1 }),
  report: () => ({}),
  upload: () => new Raw(201, ""),
  blob: () => null,
};

function routeOf(method: string, path: string): Route {
  if (path.endsWith("/clients")) return "join";
  if (path.endsWith("/tasks")) return "task";
  if (path.endsWith("/evaluations")) return "report";
  if (path.includes("/updates")) return method === "POST" ? "announce" : "update";
  return method === "POST" ? "upload" : "blob";
}

/** Ten minutes of the test clock with a server that is strange in some answers, or as many requests as would be too many. */
async function visited(strange: Strange) {
  const h = new Harness();
  const asked = new Map<Route, number>();
  const stop = new AbortController();
  let requests = 0;
  const fetch = (async (url: string, init: RequestInit) => {
    await h.clock.breathe();
    if (++requests >= MOST_REQUESTS || h.clock.now() > MINUTES * 60_000) stop.abort();
    const route = routeOf(init.method ?? "GET", new URL(url).pathname);
    const nth = (asked.get(route) ?? 0) + 1;
    asked.set(route, nth);
    if (route === "blob") return new Response(body);
    const answer = (strange[route] ?? usual[route])(nth);
    return answer instanceof Raw ? new Response(answer.text, { status: answer.status }) : Response.json(answer);
  }) as typeof globalThis.fetch;
  const api = createApi({ base: "https://api.invalid", clock: h.clock, fetch });
  const { trainer, blobs, clock } = h;
  const onEvent = (event: ClientEvent) => void h.events.push(event);
  const client = join({ api, trainer, blobs, clock, run: "digits", created: 1, power: 100, onEvent, signal: stop.signal });
  client.start();
  const reason = await client.finished;
  return { h, reason, requests, of: (route: Route) => asked.get(route) ?? 0 };
}

describe("a server that answers nonsense is asked less and less often", () => {
  test.each([
    ["a task of an unknown kind", { kind: "dance" }],
    ["a task that is empty", {}],
    ["a task that is null", null],
    ["a task that is a list", []],
    ["a wait of no length", { kind: "wait", reason: "busy" }],
    ["a wait until soon", { kind: "wait", seconds: "soon", reason: "busy" }],
    ["a stop for no reason", { kind: "stop", reason: null }],
    ["an evaluation of nothing", { ...evaluate, shards: [] }],
    ["an evaluation for ever", { ...evaluate, expires_in: undefined }],
    ["a training without a checkpoint", { ...train, checkpoint: null }],
    ["a checkpoint of less than nothing", { ...train, checkpoint: { ...blob, bytes: -1e9 } }],
  ])("%s makes the client wait and say so, not hammer", async (_, task) => {
    const { h, reason, of } = await visited({ task: () => task });
    expect(reason).toBe("left");
    expect(of("task")).toBeLessThan(60);
    expect(h.of("error").length).toBe(h.of("waiting").length);
    expect(h.of("error").every(({ fatal }) => !fatal)).toBe(true);
    expect(h.of("waiting").at(-1)!.reason).toContain("Reload the page");
  });

  test("a membership without a token", async () => {
    const { h, of } = await visited({ join: () => ({}) });
    expect(of("join")).toBeLessThan(60);
    expect(h.of("joined")).toEqual([]);
  });

  test("an evaluation that is over before it begins", async () => {
    const { of } = await visited({ task: (nth) => (nth % 2 ? { ...evaluate, expires_in: 0 } : { ...evaluate, expires_in: -1 }) });
    expect(of("task")).toBeLessThan(MOST_REQUESTS / 2);
  });
});

test("a stop in whatever words is a stop", async () => {
  const { reason, of } = await visited({ task: () => ({ kind: "stop", reason: "left" }) });
  expect(reason).toBe("left");
  expect(of("task")).toBe(1);
});

describe("only the server itself can turn a client away", () => {
  test.each([400, 401, 403, 404, 408, 409, 410])("%s with a proxy's page is waited out, and told in a sentence", async (status) => {
    const { h, reason, of } = await visited({ join: (nth) => (nth < 4 ? new Raw(status, html) : usual.join()), task: () => stopTask });
    expect(reason).toBe("the run is finished");
    expect(of("join")).toBe(4);
    expect(h.of("error").map(({ fatal }) => fatal)).toEqual([false, false, false]);
    expect(JSON.stringify(h.events)).not.toContain("<");
    expect(h.of("waiting")[0]!.reason).toBe(`something between this page and the server answered ${status}`);
  });

  test("a page in place of the answer", async () => {
    const { h, reason } = await visited({ join: (nth) => (nth < 9 ? new Raw(200, html) : usual.join()), task: () => stopTask });
    expect(reason).toBe("the run is finished");
    expect(JSON.stringify(h.events)).not.toContain("<");
  });

  test.each([
    [404, "missing"],
    [400, "invalid"],
  ])("%s %s in the server's own words ends it", async (status, code) => {
    const refusal = JSON.stringify({ error: { code, message: "there is no run digits", details: {} } });
    const { reason, of } = await visited({ join: () => new Raw(status, refusal) });
    expect(reason).toBe("there is no run digits");
    expect(of("join")).toBe(1);
  });
});

test.each([
  ["429 and a long Retry-After", () => new Raw(429, "")],
  ["a shape that nobody knows", () => ({ state: "lost" })],
])("%s to the question what became of an update holds nothing up", async (_, update) => {
  const { h } = await visited({ update, task: (nth) => (nth > 100 ? stopTask : train) });
  expect(h.of("uploaded")).toHaveLength(100);
  expect(h.clock.slept).toEqual([]);
});

test.each([
  ["empty", {}],
  ["without fields", { ...ticket, upload: { url: "https://storage.invalid/upload", fields: null } }],
])("one ticket that is %s costs a pause, and the work arrives all the same", async (_, bad) => {
  const { h, of } = await visited({ announce: (nth) => (nth === 1 ? bad : ticket), task: (nth) => (nth > 3 ? stopTask : train) });
  expect(h.of("error")).toMatchObject([{ code: "unavailable", fatal: false }]);
  expect(h.of("uploaded")).toHaveLength(3);
  expect([of("announce"), of("upload")]).toEqual([4, 3]);
});
