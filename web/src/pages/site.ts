/** What both pages begin with: the site's settings, and which run they are about. */

import type { Api } from "../api";
import { backoff, type Clock } from "../clock";
import { NotUnderstood, Refused } from "../errors";
import { readJson } from "../http";
import type { Run } from "../protocol";
import { write } from "./dom";

export interface Site {
  base: string;
  api: Api;
  run: Run;
}

/** What a page shows while there is no run to show. */
export interface Search {
  title: string;
  trouble: string;
}

const SILENT: Search = { title: "Looking for a run…", trouble: "The server does not answer. Trying again…" };
const STRANGE: Search = { title: "Reload this page", trouble: "The server says something that this page does not know. The page may be older." };
const BROKEN: Search = { title: "This page broke", trouble: "Something on this page went wrong. Reload it to try again." };
const NONE: Search = { title: "No run yet", trouble: "There is no run here yet. This page looks again by itself." };

/** Reads `config.json` and finds the run, trying until both are there. `tell` gets what is wrong meanwhile. */
export async function openSite(clock: Clock, wanted: string | null, tell: (search: Search) => void): Promise<Site> {
  for (let failures = 1; ; failures++) {
    try {
      // Fetched beside the settings: nothing that is seen first needs it.
      const [settings, { createApi }] = await Promise.all([readJson(new URL("config.json", document.baseURI).href), import("../api")]);
      const base = baseIn(settings);
      const api = createApi({ base: new URL(base, document.baseURI).href, clock });
      const run = await findRun(api, wanted);
      if (run) return { base, api, run };
      tell(NONE);
    } catch (error) {
      tell(troubleOf(error, wanted));
    }
    await clock.sleep(backoff(failures, () => clock.random(), 1000, 20_000));
  }
}

function baseIn(settings: unknown): string {
  const { api } = (settings ?? {}) as { api?: unknown };
  if (typeof api !== "string") throw new NotUnderstood("config.api");
  return api;
}

function troubleOf(error: unknown, wanted: string | null): Search {
  if (error instanceof NotUnderstood) return STRANGE;
  const absent = error instanceof Refused && (error.code === "missing" || error.code === "invalid");
  return absent && wanted !== null ? unknown(wanted) : SILENT;
}

function unknown(wanted: string): Search {
  return { title: "No such run", trouble: `There is no run named “${wanted}” here. This page looks again by itself.` };
}

/** The wanted run; else the newest that is running; else the newest. */
async function findRun(api: Api, wanted: string | null): Promise<Run | null> {
  if (wanted) return api.getRun(wanted);
  const { runs } = await api.listRuns();
  return runs.find(({ status }) => status === "running") ?? runs[0] ?? null;
}

/** Shows what the search has come to. */
export function showSearch({ title, trouble }: Search): void {
  write("title", title);
  write("trouble", trouble);
}

/** Runs a page; one that breaks says so, for a page that only stands still looks as if it worked. */
export async function reporting(main: () => Promise<void>): Promise<void> {
  await main().catch((error: unknown) => {
    console.error(error);
    showSearch(BROKEN);
  });
}
