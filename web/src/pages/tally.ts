/** What a machine has contributed, counted from its client's events. */

import type { RunEvent } from "../index";

export interface Tally {
  sent: number;
  merged: number;
  /** Sent, and not wanted: too stale, or refused. */
  unused: number;
  /** Sent, and nobody is left who asks what became of it. */
  forgotten: number;
  examples: number;
  evaluations: number;
  up: number;
  down: number;
  /** Seconds of taking part. */
  seconds: number;
}

export const emptyTally: Tally = { sent: 0, merged: 0, unused: 0, forgotten: 0, examples: 0, evaluations: 0, up: 0, down: 0, seconds: 0 };

/** Counts on from `start`; traffic events carry totals of one worker, so each worker needs a counter of its own. */
export function tallyFrom(start: Tally): (event: RunEvent) => Tally {
  let tally = start;
  return (event) => {
    tally = counted(tally, start, event);
    return tally;
  };
}

/** Gives up on all that is still waiting. */
export function forgetting(tally: Tally): Tally {
  return { ...tally, forgotten: tally.sent - tally.merged - tally.unused };
}

function counted(tally: Tally, start: Tally, event: RunEvent): Tally {
  switch (event.type) {
    case "uploaded":
      return { ...tally, sent: tally.sent + 1, examples: tally.examples + event.examples };
    case "settled":
      return event.state === "merged" ? { ...tally, merged: tally.merged + 1 } : { ...tally, unused: tally.unused + 1 };
    // A new membership cannot ask for the updates of the old one, and who has stopped asks for none.
    case "joined":
    case "stopped":
      return forgetting(tally);
    case "evaluated":
      return { ...tally, evaluations: tally.evaluations + 1 };
    case "traffic":
      return { ...tally, up: start.up + event.up, down: start.down + event.down };
    default:
      return tally;
  }
}
