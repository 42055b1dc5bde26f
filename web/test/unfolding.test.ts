import { readFileSync } from "node:fs";

import { afterEach, expect, test, vi } from "vitest";

import { unfoldedAnyway } from "../src/pages/unfolded";

import config from "../vite.config";

afterEach(() => void vi.unstubAllGlobals());

type Handler = (html: string) => Promise<string>;
interface Inlining {
  name: string;
  transformIndexHtml: { handler: Handler };
}

const { transformIndexHtml } = (config.plugins as Inlining[]).find(({ name }) => name === "inline")!;
const built = async (page: string) => transformIndexHtml.handler(readFileSync(new URL(`../${page}`, import.meta.url), "utf8"));

/** The classes of a page's parts after each of so many frames. */
function frames(script: string, parts: number): { next(): string[] } {
  const classes = Array.from({ length: parts }, () => new Set(["card", "later"]));
  let waiting: (() => void)[] = [];
  const document = { querySelectorAll: (which: string) => (which === ".later" ? classes.map((classList) => ({ classList: { remove: (name: string) => classList.delete(name) } })) : []) };
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const run = new Function("document", "requestAnimationFrame", script) as (document: unknown, frame: (task: () => void) => void) => void;
  run(document, (task) => void waiting.push(task));
  const next = () => {
    const due = waiting;
    waiting = [];
    for (const task of due) task();
    return classes.map((one) => (one.has("later") ? "." : "x"));
  };
  return { next };
}

async function unfolding(): Promise<string> {
  const [, script] = /<script>\n([^]*?)\n<\/script>/.exec(await built("index.html"))!;
  return script!;
}

test.each(["index.html", "try.html", "watch.html"])("%s has what belongs into its first frame in itself: its sign, and a script that is no module", async (page) => {
  const html = await built(page);
  expect(html).not.toContain("inline:");
  expect(html).toMatch(/<a class="brand" href="index.html"><svg[^]*<\/svg> WebNN<\/a>/);
  expect(html).toMatch(/<script>\n[^<]*querySelectorAll\("\.later"\)[^<]*\n<\/script>/);
});

test("a name that no file has fails the build", async () => {
  await expect(transformIndexHtml.handler("<!-- inline: src/nobody.ts -->")).rejects.toThrow("nobody.ts");
});

test("a part a frame is shown, in order, after a frame for what they stand on, and then no frame is asked for", async () => {
  const { next } = frames(await unfolding(), 3);
  expect([next(), next(), next(), next()].map((shown) => shown.join(""))).toEqual(["...", "x..", "xx.", "xxx"]);
});

test("a page without such parts asks for no frame after the first two", async () => {
  const { next } = frames(await unfolding(), 0);
  expect([next(), next(), next()]).toEqual([[], [], []]);
});

/** How many of a page's two parts can be seen by the end, if its own script has shown so many by then. */
async function seenAfter(own: number): Promise<number> {
  const parts = [0, 1].map((i) => new Set(i < own ? ["top"] : ["top", "later"]));
  const folded = () => parts.filter((one) => one.has("later"));
  vi.stubGlobal("document", {
    querySelector: () => (parts[0]!.has("later") ? {} : null),
    querySelectorAll: () => folded().map((one) => ({ classList: { remove: (name: string) => one.delete(name) } })),
  });
  vi.stubGlobal("requestAnimationFrame", (task: () => void) => void setImmediate(task));
  await unfoldedAnyway();
  return parts.length - folded().length;
}

test("a page whose script a content security policy has kept from it is shown all the same", async () => {
  expect(await seenAfter(0)).toBe(2);
});

test("a page whose script is at work is left to it", async () => {
  expect(await seenAfter(1)).toBe(1);
});
