/** What the library offers in browsers and in Node alike; they differ in who does the work. */

import { createApi } from "./api";
import { systemClock } from "./clock";
import { NotUnderstood } from "./errors";
import { readJson } from "./http";
import type { Run as RunDescription } from "./protocol";
import { createRun, type Hire, type Run } from "./run";

/** A handle on a run of the API at `api`. @throws Refused, Unavailable, NotUnderstood; the signal's reason */
export async function joinWith(hire: Hire, api: string, runId: string, signal?: AbortSignal): Promise<Run> {
  const base = absolute(api);
  if (typeof runId !== "string" || runId === "") throw new TypeError(`join(api, run): run is the name of a run, and ${JSON.stringify(runId)} was given`);
  return createRun(await createApi({ base, clock: systemClock }).getRun(runId, signal), base, hire);
}

/** The runs that an API has, newest first. @throws Unavailable, NotUnderstood; the signal's reason */
export async function listRuns(api: string, { signal }: { signal?: AbortSignal } = {}): Promise<RunDescription[]> {
  const { runs } = await createApi({ base: absolute(api), clock: systemClock }).listRuns(signal);
  return runs;
}

/** The address of the API that a site's pages use; `site` is the address of any of them. @throws Unavailable, NotUnderstood */
export async function apiOf(site: string): Promise<string> {
  const page = absolute(site);
  const { api } = ((await readJson(new URL("config.json", page).href)) ?? {}) as { api?: unknown };
  if (typeof api !== "string") throw new NotUnderstood("config.api");
  return new URL(api, page).href;
}

function absolute(address: string): string {
  const { document } = globalThis as { document?: { baseURI: string } };
  return new URL(address, document?.baseURI ?? (globalThis as { location?: { href: string } }).location?.href).href;
}
