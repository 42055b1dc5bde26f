/** What travels to the server and from it: the HTTP API of `docs/openapi.yaml`, and the spec of a run. Types only. */

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
