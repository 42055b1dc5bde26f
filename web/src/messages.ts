/** What a client tells, and what a page and its worker say to each other. Types only. */

import type { UpdateState } from "./protocol";

// ---- what a client tells

export type BackendName = "webgpu" | "webgl" | "wasm" | "cpu";

/** What became of one candidate when the backends were compared on the run's own model. */
export type Measured =
  | { name: BackendName; imagesPerSecond: number }
  | { name: BackendName; refused: string };

export interface Traffic {
  /** Bytes of bodies sent and received; headers are not visible to a page. */
  up: number;
  down: number;
}

export type ClientEvent =
  | { type: "joined"; run: string; clientId: string }
  | { type: "backend"; name: BackendName; imagesPerSecond: number; measured: Measured[] }
  /** What the optimizer had learnt before the page was loaded again is back. */
  | { type: "restored"; steps: number }
  | { type: "task"; kind: "train" | "evaluate"; version: number; generation: number }
  /** Accuracy, on the training batch, is worked out at the last step of a task only. */
  | { type: "step"; step: number; steps: number; loss: number; accuracy: number | null; imagesPerSecond: number }
  | { type: "uploaded"; updateId: string; version: number; steps: number; examples: number; bytes: number }
  /** Another client's update was merged into this one's weights. */
  | { type: "met"; updateId: string; steps: number }
  | { type: "settled"; updateId: string; state: UpdateState; reason: string | null; version: number | null; staleness: number | null }
  | { type: "evaluated"; version: number; loss: number; accuracy: number; examples: number }
  | { type: "traffic"; up: number; down: number }
  | { type: "waiting"; seconds: number; reason: string }
  | { type: "paused" }
  | { type: "resumed" }
  /** The message is for people; `detail` is what broke, in its own words, where nobody foresaw it. */
  | { type: "error"; code: string; message: string; fatal: boolean; detail?: string }
  | { type: "stopped"; reason: string };

// ---- page to worker, worker to page

/** Numbers as a page has them. */
export type Numbers = Float32Array | Float64Array | Int32Array | Uint8Array;

/** Examples of a visitor's own: for each tensor the values of all examples, one after another. */
export interface OwnExamples {
  inputs: Numbers[];
  targets: Numbers[];
}

export interface Prediction {
  /** One for each output layer. */
  outputs: { name: string; /** Examples first. */ shape: number[]; values: Float32Array }[];
  /** Of the weights that were used. */
  version: number;
}

export type PageMessage =
  /** The first: which run all others are about. `created` tells runs of one name apart. */
  | { type: "open"; api: string; run: string; created: number }
  | { type: "join"; power: number; backend: BackendName | null; data: OwnExamples | null }
  | { type: "pause" }
  | { type: "resume" }
  | { type: "power"; power: number }
  /** The network is back, or the page is looked at again: wait no longer. */
  | { type: "wake" }
  | { type: "stop" }
  /** The page may be gone soon. */
  | { type: "save" }
  /** Older weights than `version`, where the page knows of one, are replaced first. */
  | { type: "predict"; id: number; inputs: Numbers[]; version: number | null };

export type WorkerMessage =
  /** Its program is there. */
  | { type: "ready" }
  /** It can do nothing. */
  | { type: "failed" }
  | { type: "event"; event: WorkerEvent }
  | { type: "predicted"; id: number; prediction: Prediction }
  | { type: "unpredicted"; id: number; code: string; message: string };

/** What a worker tells without being asked. */
export type WorkerEvent =
  | ClientEvent
  /** CurrentModel were loaded for predicting. */
  | { type: "model"; version: number };
