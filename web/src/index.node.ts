/** `@webnn/client` in Node: the same, with the work done in this process, by wasm. Nothing outlives it. */

import { fileURLToPath } from "node:url";

import { createDesk } from "./desk";
import type { JoinOptions } from "./exports";
import { joinWith } from "./joining";
import type { Hire, Run } from "./run";

export * from "./exports";

const WASM = new URL("./assets/", import.meta.url);

/** As in a browser; `worker` means nothing here. */
export function join(api: string, runId: string, { signal }: JoinOptions = {}): Promise<Run> {
  return joinWith(hire, api, runId, signal);
}

const hire: Hire = ({ onMessage }) => {
  const hear = createDesk({
    assemble: async ({ api, run, created }) => {
      const [{ assemble }, { setWasmPaths }] = await Promise.all([import("./assemble"), import("./tf")]);
      setWasmPaths(fileURLToPath(WASM));
      return assemble({ api, run, created, shelf: null, states: null, onEvent: (event) => onMessage({ type: "event", event }) });
    },
    say: onMessage,
  });
  return { say: hear, dismiss: () => hear({ type: "stop" }) };
};
