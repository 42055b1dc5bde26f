/**
 * What travels: the HTTP API of `docs/openapi.yaml`, the spec of a run, the events of a client, and the messages
 * between a page and its worker. Types only.
 */

// ---- the HTTP API

export type ErrorCode =
  | "invalid"
  | "unauthorized"
  | "missing"
  | "method_not_allowed"
  | "conflict"
  | "too_large"
  | "unsupported_media_type"
  | "corrupt"
  | "internal"
  | "unavailable";

export interface ErrorBody {
  error: { code: ErrorCode; message: string; details: Record<string, unknown> };
}

export type Status = "running" | "paused" | "finished";
export type Encoding = "float32" | "float16" | "uint8" | "uint16";
export type OptimizerName = "sgd" | "momentum" | "adam" | "muon";
export type LossName =
  | "sparseCategoricalCrossentropy"
  | "categoricalCrossentropy"
  | "binaryCrossentropy"
  | "meanSquaredError";

export interface Head {
  version: number;
  /** Training iterations behind the weights. */
  steps: number;
  generation: number;
  sha256: string;
}

export interface Evaluation {
  version: number;
  loss: number;
  accuracy: number;
  examples: number;
  /** Milliseconds since 1970. */
  at: number;
}

export interface Training {
  optimizer: OptimizerName;
  learning_rate: number;
  loss: LossName;
  local_steps: number;
  batch_size: number;
  encoding: Encoding;
}

export interface Run {
  run: string;
  title: string;
  description: string;
  created_at: number;
  status: Status;
  head: Head;
  metrics: Evaluation | null;
  clients: number;
  /** Where whoever watches reads how the run goes on. */
  live: string | null;
  training: Training;
  /** Who merges, the server alone or clients besides, and by which rule. */
  merge: { where: "server" | "peer"; rule: string };
  end: { accuracy: number | null; versions: number | null };
  data: RunData;
}

export interface RunData {
  /** 0 where clients train on data of their own alone. */
  train_examples: number;
  validation_examples: number;
  /** One example, as in the spec. */
  inputs: TensorSpec[];
  targets: TensorSpec[];
  /** Names of the classes, in the order of the model's outputs. */
  labels: string[] | null;
  /** Whether a client may train on data of its own instead of shards, or must: then there are none. */
  own: OwnUse;
}

/** Whether clients may train on data of their own, or have to. */
export type OwnUse = "never" | "may" | "must";

/** The model with its newest weights. */
export interface CurrentModel {
  version: number;
  generation: number;
  model: Blob;
  checkpoint: Blob;
  expires_in: number;
}

export interface Commit {
  version: number;
  from_version: number;
  generation: number;
  at: number;
  steps: number;
  clients: number;
  examples: number;
  bytes: number;
  checkpoint_bytes: number;
  staleness: number[];
  discounts: number[];
  restores: number | null;
  left_out: { clients: number; updates: number } | null;
  /** What the owner says of a rollback or an unmerge. */
  note: string;
}

export interface History {
  run: string;
  status: Status;
  head: Head;
  clients: number;
  commits: Commit[];
  evaluations: Evaluation[];
  next_after: number | null;
}

export interface Membership {
  client_id: string;
  token: string;
  /** Seconds. */
  expires_in: number;
}

export interface Blob {
  url: string;
  sha256: string;
  bytes: number;
}

export interface ShardBlob extends Blob {
  examples: number;
}

export interface TrainTask {
  kind: "train";
  version: number;
  generation: number;
  model: Blob;
  checkpoint: Blob;
  /** Null in a run whose clients train on data of their own alone. */
  shard: ShardBlob | null;
  offset: number;
  seed: number;
  training: Training;
  /** Where clients merge each other's updates in weights of their own. */
  peer: PeerTraining | null;
  /** What to validate the trained weights on, where the rule goes by that. */
  validation: ShardBlob | null;
  expires_in: number;
}

export type PeerRule = "average" | "weighted" | "mimic" | "copy";

export interface PeerTraining {
  rule: PeerRule;
  /** Version 0, which all peers' updates stand on. */
  genesis: Blob;
  /** Training iterations behind the checkpoint. */
  steps: number;
}

/** Another client's update, to be added to the genesis. */
export interface PeerUpdate {
  update_id: string;
  /** Training iterations behind the weights. */
  local_steps: number;
  examples: number;
  accuracy: number | null;
  encoding: Encoding;
  quantization: Quantization[];
  body: Blob;
}

export interface Exchanged {
  peer: PeerUpdate | null;
}

export interface EvaluateTask {
  kind: "evaluate";
  evaluation_id: string;
  version: number;
  generation: number;
  model: Blob;
  checkpoint: Blob;
  shards: ShardBlob[];
  batch_size: number;
  loss: LossName;
  expires_in: number;
}

export interface WaitTask {
  kind: "wait";
  seconds: number;
  reason: string;
}

export interface StopTask {
  kind: "stop";
  reason: string;
}

export type Task = TrainTask | EvaluateTask | WaitTask | StopTask;

export interface Quantization {
  min: number;
  scale: number;
}

export interface Announcement {
  base_version: number;
  generation: number;
  local_steps: number;
  examples: number;
  bytes: number;
  sha256: string;
  encoding: Encoding;
  quantization?: Quantization[];
  metrics?: { loss: number; accuracy?: number };
}

export interface Upload {
  url: string;
  fields: Record<string, string>;
}

export interface Ticket {
  update_id: string;
  upload: Upload;
  expires_in: number;
}

export type UpdateState = "pending" | "merged" | "discarded" | "rejected";

export interface Update {
  update_id: string;
  state: UpdateState;
  reason: string | null;
  base_version: number;
  version: number | null;
  staleness: number | null;
  discount: number | null;
}

export interface EvaluationReport {
  evaluation_id: string;
  version: number;
  loss: number;
  accuracy: number;
  examples: number;
}

/** Why this client cannot train. */
export interface FailureReport {
  code: string;
  message: string;
  detail?: string;
  backend?: string;
  version?: number;
}

// ---- the spec of a run

export interface TensorSpec {
  name: string;
  shape: number[];
  dtype: "float32" | "int32" | "bool";
  quantization?: { dtype: "float16" | "uint8" | "uint16"; min?: number; scale?: number };
}

export interface Spec {
  modelTopology: Record<string, unknown>;
  weightsManifest: { weights: TensorSpec[] }[];
  data: { inputs: TensorSpec[]; targets: TensorSpec[] };
}

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
