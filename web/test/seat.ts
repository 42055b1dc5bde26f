/** A run whose worker is this process: messages are copied on the way, as between a page and its worker. */

import { assemble } from "../src/assemble";
import { createDesk } from "../src/desk";
import { joinWith } from "../src/joining";
import type { PageMessage } from "../src/messages";
import type { EventName, Hire, Run, RunEvent } from "../src/run";
import type { States } from "../src/states";

/** Joins the test server's run. */
export function joined(api: string, states: States | null = null): Promise<Run> {
  const hire: Hire = ({ onMessage }) => {
    const hear = createDesk({
      assemble: ({ api: base, run, created }) => Promise.resolve(assemble({ api: base, run, created, shelf: null, states, onEvent: (event) => onMessage({ type: "event", event }) })),
      say: onMessage,
    });
    return { say: (message) => hear(structuredClone(message)), dismiss: () => hear({ type: "stop" } satisfies PageMessage) };
  };
  return joinWith(hire, api, "digits");
}

/** What a run tells of these, in order, as it comes. */
export function heard(run: Run, ...types: EventName[]): RunEvent[] {
  const events: RunEvent[] = [];
  for (const type of types) run.on(type, (event) => events.push(event));
  return events;
}
