import { createHash } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";

import { sha256 } from "../src/sha256";
import { mulberry32 } from "../src/shuffle";

afterEach(() => vi.unstubAllGlobals());

const reference = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const random = mulberry32(length);
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

test("short bodies and none", async () => {
  for (const length of [0, 1, 55, 56, 64, 1000]) expect(await sha256(randomBytes(length))).toBe(reference(randomBytes(length)));
});

test("long bodies, with the platform's help and without", async () => {
  const bytes = randomBytes(300_001);
  expect(await sha256(bytes)).toBe(reference(bytes));
  vi.stubGlobal("crypto", {});
  expect(await sha256(bytes.buffer)).toBe(reference(bytes));
});

test("a view in the middle of a buffer", async () => {
  const bytes = randomBytes(1000).subarray(123, 777);
  expect(await sha256(bytes)).toBe(reference(bytes));
});
