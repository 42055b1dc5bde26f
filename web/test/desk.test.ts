import { describe, expect, test, vi } from "vitest";

import type { Seat } from "../src/assemble";
import type { Client } from "../src/client";
import { createDesk } from "../src/desk";
import { InvalidData } from "../src/errors";
import type { PageMessage } from "../src/messages";

const OPEN: PageMessage = { type: "open", api: "/", run: "digits", created: 0 };
const JOIN: PageMessage = { type: "join", power: 100, backend: null, data: null };
const PREDICT: PageMessage = { type: "predict", id: 7, inputs: [], version: 3 };

/** A desk whose client is there, or is known never to be, when the test says so. */
function desk() {
  const heard: string[] = [];
  const client = {
    start: () => heard.push("start"),
    pause: () => heard.push("pause"),
    setPower: (power: number) => heard.push(`power ${power}`),
    wake: () => heard.push("wake"),
    stop: () => Promise.resolve(void heard.push("stop")),
  } as unknown as Client;
  let arrived: (seat: Seat) => void, failed: (error: Error) => void;
  const assembled = new Promise<Seat>((resolve, reject) => ([arrived, failed] = [resolve, reject]));
  const hear = createDesk({
    assemble: () => assembled,
    say: (message) => heard.push(message.type === "unpredicted" ? `unpredicted ${message.id} ${message.code}` : message.type),
  });
  hear(OPEN);
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const seat: Seat = {
    contribute: () => client,
    predict: (_, version) => Promise.reject(version === 3 ? new InvalidData("image", "too short") : new Error("no")),
  };
  const arrive = () => (arrived(seat), settle());
  const fail = () => (failed(new Error("no")), settle());
  return { hear, heard, arrive, fail };
}

describe("what the page says before the client is there", () => {
  test("a pause keeps the client from starting, until it may go on", async () => {
    const { hear, heard, arrive } = desk();
    for (const message of [JOIN, { type: "pause" }] as const) hear(message);
    await arrive();
    expect(heard).not.toContain("start");
    hear({ type: "resume" });
    await vi.waitFor(() => expect(heard.at(-1)).toBe("start"));
  });

  test("a stop keeps it from starting for good", async () => {
    const { hear, heard, arrive } = desk();
    for (const message of [JOIN, { type: "stop" }] as const) hear(message);
    await arrive();
    expect(heard).toEqual(["ready", "stop"]);
  });

  test("all else waits for it, and comes in order", async () => {
    const { hear, heard, arrive } = desk();
    for (const message of [JOIN, { type: "power", power: 20 }, { type: "wake" }, { type: "power", power: 30 }] as const) hear(message);
    expect(heard).toEqual([]);
    await arrive();
    expect(heard).toEqual(["ready", "start", "power 20", "wake", "power 30"]);
  });

  test("when there will be no client it is told once, whatever else was said", async () => {
    const { hear, heard, fail } = desk();
    for (const message of [JOIN, { type: "pause" }, { type: "wake" }] as const) hear(message);
    await fail();
    expect(heard).toEqual(["failed"]);
  });

  test("a question waits, too, and its error is told by its code", async () => {
    const { hear, heard, arrive } = desk();
    hear(PREDICT);
    await arrive();
    await vi.waitFor(() => expect(heard).toEqual(["ready", "unpredicted 7 invalid_data"]));
  });
});
