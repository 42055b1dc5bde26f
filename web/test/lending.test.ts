import { afterEach, expect, test, vi } from "vitest";

import { reasonToHold, recalledTerms } from "../src/pages/lending";
import { since } from "../src/pages/since";

afterEach(() => void vi.unstubAllGlobals());

const keeping = (text: string | null) => vi.stubGlobal("localStorage", { getItem: () => text });
const FRESH = { power: 100, battery: false, hidden: false };

test("a browser remembers on what terms its machine is lent", () => {
  const terms = { power: 40, battery: true, hidden: true };
  keeping(JSON.stringify(terms));
  expect(recalledTerms()).toEqual(terms);
});

test.each([null, "null", "{", '{"power":"much"}', '{"power":1e9}', '{"battery":true}'])("nonsense is ignored: %s", (text) => {
  keeping(text);
  expect(recalledTerms()).toEqual(FRESH);
});

test("a browser that forbids storage begins as new", () => {
  vi.stubGlobal("localStorage", { getItem: () => { throw new Error("denied"); } });
  expect(recalledTerms()).toEqual(FRESH);
});

test("training holds on a battery and in a hidden tab only where that was chosen", () => {
  const around = { onBattery: true, hidden: true };
  expect(reasonToHold(FRESH, around)).toBeNull();
  expect(reasonToHold({ ...FRESH, battery: true }, around)).toContain("battery");
  expect(reasonToHold({ ...FRESH, hidden: true }, around)).toContain("hidden");
  expect(reasonToHold({ power: 1, battery: true, hidden: true }, { onBattery: false, hidden: false })).toBeNull();
});

test("a model's accuracy is told beside what it was when the visitor came", () => {
  expect(since(null, null)).toEqual({ came: null, now: "–", note: "not tested yet" });
  expect(since(null, 0.5)).toEqual({ came: 0.5, now: "50.0 %", note: "as when you came" });
  expect(since(0.5, 0.934)).toEqual({ came: 0.5, now: "93.4 %", note: "+43.4 since you came, at 50.0 %" });
  expect(since(0.5, 0.48)).toMatchObject({ note: "−2.0 since you came, at 50.0 %" });
});
