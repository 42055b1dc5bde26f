import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { Story } from "../src/follow";
import { Heard } from "../src/pages/heard";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const story = (change: Partial<Story>) => ({ about: null, status: "running", head: { version: 5 }, clients: 1, ...change }) as Story;
const about = (createdAt: number) => ({ createdAt }) as Story["about"];

/** How often a page looks by itself after a look at `status`, where looks find what `found` says of each. */
function looksAfter(heard: Heard, found: (look: number) => Story["status"]): number {
  let looks = 0;
  heard.lookAgain = () => {
    heard.hear(story({ status: found(++looks) }));
    heard.looked();
  };
  heard.looked();
  vi.runAllTimers();
  return looks;
}

test("what there is to read is looked at again until it tells of the end, and not for ever", () => {
  const heard = () => Object.assign(new Heard(1000), { finished: true });
  expect(looksAfter(heard(), () => "running")).toBe(4);
  expect(looksAfter(heard(), (look) => (look < 2 ? "running" : "finished"))).toBe(2);
});

test("nobody looks again by itself while the run goes on, once its end was read, or where it is gone", () => {
  const [running, over, gone] = [new Heard(1000), new Heard(1000), new Heard(1000)];
  over.finished = gone.finished = gone.gone = true;
  over.hear(story({ status: "finished" }));
  expect([running, over, gone].map((heard) => looksAfter(heard, () => "running"))).toEqual([0, 0, 0]);
});

test("another run of the name is known by when it was made, or else by a head that went back", () => {
  const heard = new Heard(1000);
  heard.hear(story({ head: { version: 5 } as Story["head"] }));
  const told = [story({ about: about(1000) }), story({ about: about(2000) }), story({}), story({ head: { version: 4 } as Story["head"] })];
  expect(told.map((one) => heard.isOfAnother(one))).toEqual([false, true, false, true]);
  heard.gone = true;
  expect(heard.isOfAnother(told[0]!)).toBe(true);
});

test("a page that has just begun counts itself, though nobody has counted it yet", () => {
  const clients = { textContent: "–" };
  vi.stubGlobal("document", { getElementById: () => clients });
  const heard = new Heard(1000);
  const shown = (atWork: boolean) => (heard.showClients(atWork), clients.textContent);
  expect(shown(true)).toBe("–"); // nothing is known yet
  heard.hear(story({ clients: 0 }));
  expect([shown(false), shown(true)]).toEqual(["0", "1"]);
  heard.hear(story({ clients: 7 }));
  expect(shown(true)).toBe("7");
});
