/** What the package weighs, built as it is published but for TensorFlow.js, which stays outside. */

import { gzipSync } from "node:zlib";

import { build, mergeConfig, type Rolldown } from "vite";
import { beforeAll, expect, test } from "vitest";

import packaging from "../vite.client.config.ts";

let chunks: Rolldown.OutputChunk[];

beforeAll(async () => {
  const outside = { configFile: false as const, logLevel: "error" as const, build: { write: false, rolldownOptions: { external: /^@tensorflow\// } } };
  const built = (await build(mergeConfig(packaging, outside))) as Rolldown.RolldownOutput;
  chunks = built.output.filter((part) => part.type === "chunk");
}, 120_000);

/** Bytes, as a browser fetches them. */
const weight = (parts: Rolldown.OutputChunk[]) => parts.reduce((sum, { code }) => sum + gzipSync(code).length, 0);

/** A chunk with all that comes with it at once. */
function withImports(name: string, found = new Set<Rolldown.OutputChunk>()): Rolldown.OutputChunk[] {
  const chunk = chunks.find(({ fileName }) => fileName === name);
  if (chunk && !found.has(chunk)) {
    found.add(chunk);
    for (const imported of chunk.imports) withImports(imported, found);
  }
  return [...found];
}

test("what a page takes in is under 15 KB, and nothing of it is TensorFlow's", () => {
  const parts = withImports("index.js");
  expect(weight(parts)).toBeLessThan(15_000);
  expect(parts.flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports]).filter((name) => name.startsWith("@"))).toEqual([]);
});

test("with the worker's program, which is fetched when there is work, all of it that is ours is under 28 KB", () => {
  expect(weight(chunks)).toBeLessThan(28_000);
});

test("bundlers see the worker that lies beside it", () => {
  const [index] = withImports("index.js");
  expect(index!.code).toMatch(/new Worker\(new URL\([`"']\.\/worker\.js[`"'],\s*import\.meta\.url\)/);
  expect(chunks.map(({ fileName }) => fileName)).toContain("worker.js");
});

test("webpack is not made to look for a file whose name it cannot read", () => {
  const beside = chunks.flatMap(({ code }) => [...code.matchAll(/new URL\(([^(),]*),\s*import\.meta\.url\)/g)].map((found) => found[1]!));
  expect(beside.length).toBeGreaterThan(0);
  for (const name of beside) expect(name).toMatch(/^[`"']/);
});
