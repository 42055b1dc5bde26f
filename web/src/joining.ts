/** What the library offers in browsers and in Node alike; they differ in who does the work. */

import { createApi } from "./api";
import { systemClock } from "./clock";
import { NotUnderstood } from "./errors";
import { readJson } from "./http";
import type { Run as RunDescription } from "./protocol";
import { createRun, type Hire, type Run } from "./run";

/** A handle on a run of the API at `api`. @throws Refused, Unavailable, NotUnderstood; the signal's reason */
export async function joinWith(hire: Hire, api: string, runId: string, signal?: AbortSignal): Promise<Run> {
  const base = absolute("api", api);
  if (typeof runId !== "string" || runId === "") throw new TypeError(`join(api, run): run is the name of a run, and ${JSON.stringify(runId)} was given`);
  return createRun(await createApi({ base, clock: systemClock }).getRun(runId, signal), base, hire);
}

/** The runs that an API has, newest first. @throws Unavailable, NotUnderstood; the signal's reason */
export async function listRuns(api: string, { signal }: { signal?: AbortSignal } = {}): Promise<RunDescription[]> {
  const { runs } = await createApi({ base: absolute("api", api), clock: systemClock }).listRuns(signal);
  return runs;
}

/** The address of the API that a site's pages use; `site` is the address of any of them. @throws Unavailable, NotUnderstood */
export async function apiOf(site: string): Promise<string> {
  const page = absolute("site", site);
  const { api } = ((await readJson(new URL("config.json", page).href)) ?? {}) as { api?: unknown };
  if (typeof api !== "string") throw new NotUnderstood("config.api");
  return new URL(api, page).href;
}

/** @throws TypeError: what was given is no address, as a program without types may do. */
function absolute(what: "api" | "site", address: unknown): string {
  const { document, location } = globalThis as { document?: { baseURI: string }; location?: { href: string } };
  try {
    if (typeof address === "string" && address !== "") return new URL(address, document?.baseURI ?? location?.href).href;
  } catch {
    // said below
  }
  const like = what === "api" ? "an API, as http://127.0.0.1:8000" : "a page of a site, as http://127.0.0.1:8000/index.html";
  throw new TypeError(`${what} has to be the address of ${like}; it is ${typeof address === "string" ? JSON.stringify(address) : String(address)}`);
}
