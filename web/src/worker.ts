/**
 * The Web Worker: the whole client, network included, so that a hidden tab trains on (browsers slow down the timers of
 * hidden pages, not those of their workers) and the page stays smooth.
 */

import { assemble } from "./assemble";
import type { Client } from "./client";
import type { PageMessage, WorkerMessage } from "./protocol";
import { browserShelf } from "./shards";
import { setWasmPaths } from "./tf";
import { wasmUrls } from "./wasm_urls";

setWasmPaths(wasmUrls);

const say = (message: WorkerMessage) => postMessage(message);
let client: Client | null = null;

async function begin({ api, run, power, backend }: PageMessage & { type: "join" }): Promise<void> {
  const shelf = await browserShelf();
  client = assemble({ api, run, power, backend, shelf, onEvent: (event) => say({ type: "event", event }) });
  client.start();
}

addEventListener("message", ({ data }: MessageEvent<PageMessage>) => {
  if (data.type === "join") void begin(data);
  if (data.type === "pause") client?.pause();
  if (data.type === "resume") client?.start();
  if (data.type === "power") client?.setPower(data.power);
  if (data.type === "wake") client?.wake();
  if (data.type === "stop") void client?.stop();
});
