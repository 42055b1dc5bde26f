/** What all pages begin with: which run they are about. */

import { apiOf, join, listRuns, NotUnderstood, Refused, type Run } from "../index";
import { write } from "./dom";
import { unfoldedAnyway } from "./unfolded";

/** What a page shows while there is no run to show. */
export interface Search {
  title: string;
  trouble: string;
  /** There is none, so that nothing can be done about it here. */
  absent?: boolean;
}

const SILENT: Search = { title: "Looking for a run…", trouble: "The server does not answer. Trying again…" };
const STRANGE: Search = { title: "Reload this page", trouble: "The server says something that this page does not know. The page may be older." };
const BROKEN: Search = { title: "This page broke", trouble: "Something on this page went wrong. Reload it to try again." };
const NONE: Search = { title: "No run yet", trouble: "There is no run here yet. This page looks again by itself.", absent: true };

/** Finds the site's API and the run, trying until both are there. `tell` gets what is wrong meanwhile. */
export async function openSite(wanted: string | null, tell: (search: Search) => void, pause = growing): Promise<Run> {
  for (let failures = 1; ; failures++) {
    try {
      const api = await apiOf(document.baseURI);
      const name = wanted ?? (await anyRun(api));
      if (name !== null) return await join(api, name);
      tell(NONE);
    } catch (error) {
      tell(troubleOf(error, wanted));
    }
    await pause(failures);
  }
}

/** Ever longer, and never for all pages alike. */
function growing(failures: number): Promise<void> {
  const longest = Math.min(20_000, 1000 * 2 ** failures);
  return new Promise((resolve) => setTimeout(resolve, longest * (0.1 + 0.9 * Math.random())));
}

function troubleOf(error: unknown, wanted: string | null): Search {
  if (error instanceof NotUnderstood) return STRANGE;
  const absent = error instanceof Refused && (error.code === "missing" || error.code === "invalid");
  return absent && wanted !== null ? unknown(wanted) : SILENT;
}

function unknown(wanted: string): Search {
  return { title: "No such run", trouble: `There is no run named “${wanted}” here. This page looks again by itself.`, absent: true };
}

/** The newest that is running; else the newest. */
async function anyRun(api: string): Promise<string | null> {
  const runs = await listRuns(api);
  return (runs.find(({ status }) => status === "running") ?? runs[0])?.run ?? null;
}

/** Shows what the search has come to. */
export function showSearch({ title, trouble, absent = false }: Search): void {
  write("title", title);
  write("trouble", trouble);
  document.body.classList.toggle("absent", absent);
}

/** Shows which run it has come to; what its owner says of it, or where they say nothing what can be said of any. */
export function showFound(title: string, description: string): void {
  showSearch({ title, trouble: "" });
  write("description", description);
}

/** Shows that there is no run of this name any more. */
export function showAbsent(run: string): void {
  showSearch(unknown(run));
  write("description", "");
}

/** Runs a page; one that breaks says so, for a page that only stands still looks as if it worked. */
export async function reporting(main: () => Promise<void>): Promise<void> {
  void unfoldedAnyway();
  await main().catch((error: unknown) => {
    console.error(error);
    showSearch(BROKEN);
  });
}
