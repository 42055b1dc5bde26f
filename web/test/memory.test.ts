import { afterEach, expect, test, vi } from "vitest";

import { recalled } from "../src/pages/memory";
import { emptyTally } from "../src/pages/tally";

afterEach(() => void vi.unstubAllGlobals());

const FRESH = { running: false, tally: emptyTally, came: null };
const keeping = (text: string | null) => vi.stubGlobal("sessionStorage", { getItem: () => text });

test("a tab goes on where it was", () => {
  const kept = { running: true, tally: { ...emptyTally, examples: 7 }, came: 0.5 };
  keeping(JSON.stringify(kept));
  expect(recalled("tab")).toEqual(kept);
});

test.each([null, "null", "{", "[]", '{"running":"yes"}', '{"running":true,"came":7}', '{"running":true,"tally":{"sent":"x"}}'])(
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
