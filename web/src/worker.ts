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
/** A promise, so that what is said before the client is there waits for it: a pause must never be lost. */
let joining: Promise<Client> | null = null;

async function begin({ api, run, power, backend }: PageMessage & { type: "join" }): Promise<Client> {
  const shelf = await browserShelf();
  const client = assemble({ api, run, power, backend, shelf, onEvent: (event) => say({ type: "event", event }) });
  client.start();
  return client;
}

function obey(client: Client, message: PageMessage): void {
  if (message.type === "pause") client.pause();
  if (message.type === "resume") client.start();
  if (message.type === "power") client.setPower(message.power);
  if (message.type === "wake") client.wake();
  if (message.type === "stop") void client.stop();
}

addEventListener("message", ({ data }: MessageEvent<PageMessage>) => {
  if (data.type === "join") joining = begin(data);
  else void joining?.then((client) => obey(client, data));
});
