import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { employ } from "../src/employ";
import type { WorkerMessage } from "../src/messages";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A page's end of a worker that does what the test says. */
function employed() {
  const worker = Object.assign(new EventTarget(), { terminate: vi.fn(), postMessage: vi.fn() });
  const [onMessage, onFailure] = [vi.fn(), vi.fn()];
  const employee = employ({ create: () => worker, onMessage, onFailure })!;
  const speak = (data: WorkerMessage) => worker.dispatchEvent(new MessageEvent("message", { data }));
  return { worker, employee, speak, onMessage, onFailure };
}

test("a page that may have no worker gets none", () => {
  const create = () => { throw new Error("denied"); };
  expect(employ({ create, onMessage: vi.fn(), onFailure: vi.fn() })).toBeNull();
});

test.each(["error", "messageerror"])("%s: the worker is let go, and the page told", (fault) => {
  const { worker, onFailure } = employed();
  worker.dispatchEvent(new Event(fault));
  expect([worker.terminate.mock.calls.length, onFailure.mock.calls.length]).toEqual([1, 1]);
  vi.advanceTimersByTime(600_000);
  expect(onFailure).toHaveBeenCalledOnce();
});

test("a worker that says it cannot, and one that never says anything, have failed", () => {
  const [frank, silent] = [employed(), employed()];
  frank.speak({ type: "failed" });
  expect(frank.onFailure).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(60_000);
  expect(silent.onFailure).toHaveBeenCalledOnce();
});

test("one that is ready may be silent, and one that was dismissed is not missed", () => {
  const [ready, dismissed] = [employed(), employed()];
  ready.speak({ type: "ready" });
  dismissed.employee.dismiss();
  vi.advanceTimersByTime(600_000);
  expect([ready.onFailure.mock.calls, dismissed.onFailure.mock.calls]).toEqual([[], []]);
});
