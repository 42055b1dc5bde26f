import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { RunEvent } from "../src/index";
import { Contributed } from "../src/pages/contributed";

const texts = new Map<string, { textContent: string }>();

beforeEach(() => {
  vi.useFakeTimers();
  const getElementById = (id: string) => texts.set(id, texts.get(id) ?? { textContent: "" }).get(id);
  vi.stubGlobal("document", { getElementById });
  vi.stubGlobal("sessionStorage", { getItem: () => null, setItem: () => undefined });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  texts.clear();
});

const uploaded: RunEvent = { type: "uploaded", updateId: "u", version: 1, steps: 4, examples: 256, bytes: 100 };
const waiting: RunEvent = { type: "waiting", seconds: 15, reason: "the run is paused" };

test("there is no speed while the client waits, from the moment that it says so until it works again", () => {
  const contributed = new Contributed("a-run");
  const speed = () => texts.get("speed")!.textContent;
  const secondLater = () => (vi.advanceTimersByTime(1000), contributed.tick(), speed());
  contributed.change(true, true);
  secondLater();
  contributed.hear(uploaded);
  expect(secondLater()).toBe("256 examples/s");
  contributed.hear(waiting);
  expect(speed()).toBe("–");
  expect(secondLater()).toBe("–");
  contributed.hear({ type: "step", step: 1, loss: 1, accuracy: 0.5, imagesPerSecond: 100 } as RunEvent);
  contributed.hear(uploaded);
  expect(secondLater()).toBe("171 examples/s");
});
