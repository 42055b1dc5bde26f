/** What the package weighs, built as it is published but for TensorFlow.js, which stays outside. */

import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { build, mergeConfig, type Rolldown } from "vite";
import { beforeAll, expect, onTestFinished, test } from "vitest";

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

/** What a bundler makes of the package and a program that uses it. */
async function bundled(program: string): Promise<Rolldown.OutputChunk[]> {
  const root = await mkdtemp(join(tmpdir(), "webnn-app-"));
  onTestFinished(() => rm(root, { recursive: true }));
  const library = join(root, "node_modules/@webnn/client");
  await mkdir(join(library, "dist/chunks"), { recursive: true });
  await copyFile(new URL("../client/package.json", import.meta.url), join(library, "package.json"));
  await Promise.all(chunks.map(({ fileName, code }) => writeFile(join(library, "dist", fileName), code)));
  await writeFile(join(root, "app.js"), program);
  const rolldownOptions = { external: /^@tensorflow\// };
  const app = { configFile: false as const, logLevel: "error" as const, root, worker: { format: "es" as const, rolldownOptions } };
  const built = await build({ ...app, build: { write: false, target: "es2022", rolldownOptions: { input: join(root, "app.js") } } });
  return (built as Rolldown.RolldownOutput).output.filter((part) => part.type === "chunk");
}

test("an app that takes part and does not follow runs takes in under 8 KB", async () => {
  const [taking, following] = await Promise.all([
    bundled('import { join } from "@webnn/client"; (await join("https://api.example", "digits")).contribute();'),
    bundled('import { follow, join } from "@webnn/client"; await follow(await join("https://api.example", "digits"), { onStory: console.log });'),
  ]);
  expect(weight(taking)).toBeLessThan(8_000);
  expect(weight(following) - weight(taking)).toBeGreaterThan(2_000);
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
