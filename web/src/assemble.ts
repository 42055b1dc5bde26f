/** The composition root of a client: real parts, put together. Workers and Node differ only in what they pass in. */

import { join, type Client } from "./client";
import { systemClock } from "./clock";
import { createApi } from "./api";
import type { BackendName, ClientEvent } from "./protocol";
import { createBlobCache, type Shelf } from "./shards";
import { createTrainer } from "./trainer";

export interface Order {
  /** Base URL of the API. */
  api: string;
  run: string;
  power: number;
  /** Null: the fastest. */
  backend: BackendName | null;
  shelf: Shelf | null;
  onEvent(event: ClientEvent): void;
}

/** A client that is ready to start. */
export function assemble({ api: base, run, power, backend, shelf, onEvent }: Order): Client {
  const clock = systemClock;
  const api = createApi({ base, clock });
  const trainer = createTrainer({
    backend,
    now: () => clock.now(),
    onBackend: ({ name, imagesPerSecond, measured }) => onEvent({ type: "backend", name, imagesPerSecond, measured }),
  });
  return join({ api, trainer, blobs: createBlobCache(api, shelf), clock, run, power, onEvent });
}
