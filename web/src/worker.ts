/**
 * The Web Worker: the whole client, network included, so that a hidden tab trains on (browsers slow down the timers of
 * hidden pages, not those of their workers) and the page stays smooth.
 */

import { assemble } from "./assemble";
import { createDesk } from "./desk";
import type { PageMessage, WorkerMessage } from "./messages";
import { browserShelf } from "./shards";
import { browserStates } from "./states";
import { setWasmPaths } from "./tf";
import { wasmUrls } from "./wasm_urls";

setWasmPaths(wasmUrls);

const say = (message: WorkerMessage) => postMessage(message);

const hear = createDesk({
  assemble: async ({ api, run, created }) => {
    const [shelf, states] = await Promise.all([browserShelf(), browserStates(`${api} ${run} ${created}`)]);
    return assemble({ api, run, created, shelf, states, onEvent: (event) => say({ type: "event", event }) });
  },
  say,
});

addEventListener("message", ({ data }: MessageEvent<PageMessage>) => hear(data));
