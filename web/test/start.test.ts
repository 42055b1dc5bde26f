import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { startWorker } from "../src/start";

const begun: string[] = [];

class Sham {
  readonly program: string;
  constructor(program: string | URL) {
    begun.push((this.program = String(program)));
  }
}

beforeEach(() => {
  begun.length = 0;
  vi.stubGlobal("location", { href: "https://app.example/", origin: "https://app.example" });
});
afterEach(() => vi.unstubAllGlobals());

test("starts a worker from another origin by a detour, and leaves the page its own Worker", () => {
  vi.stubGlobal("Worker", Sham);
  startWorker();
  expect(begun).toEqual([expect.stringMatching(/^blob:/)]);
  expect(globalThis.Worker).toBe(Sham);
});

test.each([
  ["may not be replaced", { value: Sham, writable: false }],
  ["can only be read", { get: () => Sham }],
])("starts a worker where the page's Worker %s", (_, property) => {
  Object.defineProperty(globalThis, "Worker", { ...property, configurable: true });
  try {
    startWorker();
  } finally {
    Reflect.deleteProperty(globalThis, "Worker");
  }
  expect(begun).toEqual([expect.stringMatching(/worker\.ts$/)]);
});
