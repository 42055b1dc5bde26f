/** What a client tells, in words for its volunteer. */

import type { EventName, RunEvent } from "../index";
import { bytes, count, duration } from "./format";
import { write } from "./dom";
import type { Tally } from "./tally";

/** All that a client tells. */
const EVENTS = {
  joined: 0,
  backend: 0,
  restored: 0,
  task: 0,
  step: 0,
  uploaded: 0,
  met: 0,
  settled: 0,
  evaluated: 0,
  traffic: 0,
  waiting: 0,
  paused: 0,
  resumed: 0,
  error: 0,
  stopped: 0,
  model: 0,
} satisfies Record<EventName, 0>;

export const EVENT_NAMES = Object.keys(EVENTS) as EventName[];

/** What the machine is doing; null where an event says nothing of that. */
export function statusOf(event: RunEvent): string | null {
  switch (event.type) {
    case "joined":
      return "Joined. Getting the model ready…";
    case "task":
      return event.kind === "train" ? `Training from version ${count(event.version)}` : `Checking version ${count(event.version)} on the test data`;
    case "waiting":
      return `Waiting: ${event.reason}`;
    default:
      return null;
  }
}

/** A failure that no retry can mend: what it means, and what is behind it, for who wants to know. */
export function failureOf({ code, message }: { code: string; message: string }): { said: string; why: string | null } {
  const said = FAILURES[code];
  return said === undefined ? { said: sentence(message), why: null } : { said, why: code === "no_worker" ? null : sentence(message) };
}

const FAILURES: Record<string, string> = {
  no_worker: "Training could not start in this browser. Reload this page to try again.",
  no_backend: "This browser cannot train this model. Another browser, or another machine, may.",
  bad_spec: "This run cannot be trained by this page: something about its model is wrong, or newer than the page.",
};

/** A reason as a sentence. */
function sentence(reason: string): string {
  return `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`;
}

/** Shows what was contributed. */
export function showTally({ merged, sent, unused, forgotten, examples, up, down, seconds }: Tally): void {
  write("merged", count(merged));
  const waiting = sent - merged - unused - forgotten;
  const others = [[waiting, "waiting"], [unused, "not used"], [forgotten, "unknown"]] as const;
  const told = others.map(([updates, word]) => (updates > 0 ? `, ${count(updates)} ${word}` : ""));
  write("sent", `of ${count(sent)} sent${told.join("")}`);
  write("examples", count(examples));
  write("up", bytes(up));
  write("down", `${bytes(down)} received`);
  write("seconds", duration(seconds));
}
