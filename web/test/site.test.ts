import { afterEach, expect, test, vi } from "vitest";

import { openSite, reporting, type Search } from "../src/pages/site";

afterEach(() => void vi.unstubAllGlobals());

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

/** What a page tells when the server answers so to the question for its run; it must look again by itself. */
async function told(answer: () => Response, settings: unknown = { api: "/api" }): Promise<Search> {
  vi.stubGlobal("document", { baseURI: "http://page.test/" });
  vi.stubGlobal("fetch", (url: string) => Promise.resolve(url.endsWith("config.json") ? json(settings) : answer()));
  return new Promise((resolve) => {
    const heard: Search[] = [];
    const pause = (failures: number) => {
      if (failures < 2) return Promise.resolve();
      resolve(heard[1]!);
      return new Promise<void>(() => undefined);
    };
    void openSite("digits", (search) => void heard.push(search), pause);
  });
}

test.each([{}, [], null, { run: "digits" }])("a record of a wrong shape is told of, and asked for again: %j", async (record) => {
  expect((await told(() => json(record))).title).toBe("Reload this page");
});

test.each([400, 401, 403, 404, 410])("a %i of something in between says nothing about the run", async (status) => {
  expect((await told(() => new Response("<html>", { status }))).title).toBe("Looking for a run…");
});

test.each(["missing", "invalid"])("only the server itself says that there is no such run: %s", async (code) => {
  expect(await told(() => json({ error: { code, message: "no" } }, 404))).toMatchObject({ title: "No such run", absent: true });
});

test.each([{}, [], { api: 1 }])("settings of a wrong shape are told of: %j", async (settings) => {
  expect((await told(() => json({}), settings)).title).toBe("Reload this page");
});

test("a page that breaks says so", async () => {
  const texts = new Map<string, { textContent: string }>();
  const getElementById = (id: string) => texts.set(id, texts.get(id) ?? { textContent: "" }).get(id);
  vi.stubGlobal("document", { getElementById, body: { classList: { toggle: vi.fn() } } });
  vi.stubGlobal("console", { error: vi.fn() });
  vi.stubGlobal("requestAnimationFrame", vi.fn());
  await reporting(() => Promise.reject(new Error("broken")));
  expect(texts.get("trouble")!.textContent).toContain("Reload");
});
