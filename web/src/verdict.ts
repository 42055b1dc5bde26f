/** What an error means for a client: what to say of it, and what to do before the next try. */

import { BadSpec, Corrupt, Diverged, InvalidData, NoBackend, NoData, Refused, Stale, Unavailable } from "./errors";

export interface Verdict {
  code: string;
  /** A sentence for people, without its full stop. */
  message: string;
  /** What broke, in its own words, where nobody foresaw it. */
  detail?: string;
  /** No retry can help. */
  fatal: boolean;
  /** Nothing is broken: the world has only moved on. */
  movedOn: boolean;
  /** The server no longer knows this client. */
  forgotten: boolean;
  /** The trainer has to begin from nothing. */
  spoilt: boolean;
}

/** `member`: the client is let in at the moment. What is missing then need not be the run: it asks to be let in again. */
export function verdictOn(error: unknown, member: boolean): Verdict {
  const refused = error instanceof Refused ? error.code : null;
  const code = refused ?? codeOf(error);
  const hopeless = !member && (refused === "missing" || refused === "invalid");
  return {
    code,
    ...(code === "trainer" ? unforeseen(error) : { message: (error as Error).message }),
    fatal: hopeless || [BadSpec, InvalidData, NoBackend, NoData].some((kind) => error instanceof kind),
    movedOn: error instanceof Stale || refused === "unauthorized" || refused === "conflict",
    forgotten: refused === "unauthorized" || refused === "missing",
    // Whatever the trainer choked on (a lost GPU, a full heap), the next attempt starts from nothing.
    spoilt: code === "trainer" || error instanceof Diverged,
  };
}

function codeOf(error: unknown): string {
  if (error instanceof Unavailable) return "unavailable";
  if (error instanceof Stale) return "stale";
  if (error instanceof Corrupt) return "corrupt";
  if (error instanceof Diverged) return "diverged";
  if (error instanceof BadSpec) return "bad_spec";
  if (error instanceof NoData) return "no_data";
  if (error instanceof InvalidData) return "invalid_data";
  return error instanceof NoBackend ? "no_backend" : "trainer";
}

function unforeseen(error: unknown): { message: string; detail: string } {
  return { message: "training failed on this machine and begins afresh", detail: String(error) };
}
