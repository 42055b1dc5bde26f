import { afterEach, expect, test, vi } from "vitest";

import { recalled } from "../src/pages/memory";
import { emptyTally } from "../src/pages/tally";

afterEach(() => void vi.unstubAllGlobals());

const FRESH = { running: false, power: 100, tally: emptyTally };
const keeping = (text: string | null) => vi.stubGlobal("sessionStorage", { getItem: () => text });

test("a tab goes on where it was", () => {
  const kept = { running: true, power: 40, tally: { ...emptyTally, examples: 7 } };
  keeping(JSON.stringify(kept));
  expect(recalled("tab")).toEqual(kept);
});

test.each([null, "null", "{", "[]", '{"running":true,"power":"abc"}', '{"running":true,"power":1e9}', '{"running":true,"power":40,"tally":{"sent":"x"}}'])(
  "nonsense is ignored: %s",
  (text) => {
    keeping(text);
    expect(recalled("tab")).toEqual(FRESH);
  },
);

test("a browser that forbids storage begins anew", () => {
  vi.stubGlobal("sessionStorage", { getItem: () => { throw new Error("denied"); } });
  expect(recalled("tab")).toEqual(FRESH);
});
