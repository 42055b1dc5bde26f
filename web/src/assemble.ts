/** The composition root of what trains and predicts: real parts, put together. Workers and Node differ only in what they pass in. */

import { createApi } from "./api";
import { join, type Client } from "./client";
import { systemClock } from "./clock";
import type { Known } from "./cycle";
import { Keeping } from "./keeping";
import { Own } from "./own";
import { Predictor } from "./predictor";
import type { BackendName, Numbers, OwnExamples, Prediction, WorkerEvent } from "./messages";
import { createBlobCache, type Shelf } from "./shards";
import type { States } from "./states";
import { createTrainer } from "./trainer";
import { Turns } from "./turns";

export interface Place {
  /** Base URL of the API. */
  api: string;
  run: string;
  /** When the run was made; without it, whichever of the name is there at first. */
  created?: number;
  shelf: Shelf | null;
  /** Where optimizers' states are kept. */
  states: States | null;
  onEvent(event: WorkerEvent): void;
}

export interface Order {
  power: number;
  /** Null: the fastest. */
  backend: BackendName | null;
  /** Null: the run's own data. */
  data: OwnExamples | null;
}

/** Where the work on one run is done. */
export interface Seat {
  /** A client that is ready to start. */
  contribute(order: Order): Client;
  /** Older weights than `version`, where one is known of, are replaced first. */
  predict(inputs: readonly Numbers[], version: number | null): Promise<Prediction>;
}

/** Parts for one run that take turns with what they share. */
export function assemble(place: Place): Seat {
  const turns = new Turns();
  const predictor = predictorAt(place, turns);
  const known: Known = { membership: null };
  return {
    contribute: (order) => clientAt(place, turns, known, order, (version) => predictor.heard(version)),
    predict: (inputs, version) => {
      predictor.heard(version ?? 0);
      return predictor.predict(inputs);
    },
  };
}

function predictorAt({ api: base, run, shelf, onEvent }: Place, turns: Turns): Predictor {
  const api = createApi({ base, clock: systemClock });
  const onModel = (version: number) => onEvent({ type: "model", version });
  return new Predictor({ api, blobs: createBlobCache(api, shelf), clock: systemClock, run, turns, onModel });
}

/** With an API of its own: what it says of traffic is its own. */
function clientAt(place: Place, turns: Turns, known: Known, { power, backend, data }: Order, onVersion: (version: number) => void): Client {
  const { api: base, run, created, shelf, states, onEvent } = place;
  const clock = systemClock;
  const now = () => clock.now();
  const api = createApi({ base, clock });
  const onRestored = (steps: number) => onEvent({ type: "restored", steps });
  const keeping = states && new Keeping({ states, now, onRestored });
  const trainer = createTrainer({
    backend,
    now,
    turns,
    keeping,
    onBackend: ({ name, imagesPerSecond, measured }) => onEvent({ type: "backend", name, imagesPerSecond, measured }),
  });
  return join({
    api,
    trainer,
    blobs: createBlobCache(api, shelf),
    clock,
    run,
    power,
    known,
    ...(created === undefined ? {} : { created }),
    ...(data ? { own: new Own(data, clock.random()) } : {}),
    onEvent: (event) => {
      if (event.type === "task") onVersion(event.version);
      onEvent(event);
    },
  });
}
