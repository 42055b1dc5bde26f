/** What both pages begin with: the site's settings, and which run they are about. */

import { createApi, type Api } from "../api";
import { backoff, type Clock } from "../clock";
import { Refused } from "../errors";
import { readJson } from "../http";
import type { Run } from "../protocol";

export interface Site {
  base: string;
  api: Api;
  run: Run;
}

/** Reads `config.json` and finds the run, trying until both are there. `tell` gets what is wrong meanwhile. */
export async function openSite(clock: Clock, wanted: string | null, tell: (trouble: string | null) => void): Promise<Site> {
  for (let failures = 1; ; failures++) {
    try {
      const { api: base } = (await readJson(new URL("config.json", document.baseURI).href)) as { api: string };
      const api = createApi({ base: new URL(base, document.baseURI).href, clock });
      const run = await findRun(api, wanted);
      if (run) {
        tell(null);
        return { base, api, run };
      }
      tell("There is no run here yet. This page looks again by itself.");
    } catch (error) {
      tell(error instanceof Refused && error.code === "missing" ? `There is no run named “${wanted ?? ""}”.` : "The server does not answer. Trying again…");
    }
    await clock.sleep(backoff(failures, () => clock.random(), 1000, 20_000));
  }
}

/** The wanted run; else the newest that is running; else the newest. */
async function findRun(api: Api, wanted: string | null): Promise<Run | null> {
  if (wanted) return api.getRun(wanted);
  const { runs } = await api.listRuns();
  return runs.find(({ status }) => status === "running") ?? runs[0] ?? null;
}
