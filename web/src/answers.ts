/**
 * What the server may answer, checked where it comes in: everything behind trusts the types of `protocol.ts`.
 *
 * Members that this page does not know are let through, so that a server may say more. A kind or a shape that it does not
 * know is no answer at all: the server is newer than the page, or something else answered in its place.
 */

import { NotUnderstood } from "./errors";
import type {
  CurrentModel,
  ErrorBody,
  ErrorCode,
  EvaluateTask,
  Evaluation,
  Exchanged,
  History,
  Membership,
  PeerTraining,
  PeerUpdate,
  Run,
  StopTask,
  Task,
  TensorSpec,
  Ticket,
  Training,
  TrainTask,
  Update,
  WaitTask,
} from "./protocol";
import { absent, anything, array, changed, kinds, nullable, number, object, oneOf, record, Strange, string, text, url, whole, type Shape } from "./shapes";

/** Longer than anything here lasts, and still a time that can be reckoned with. */
const LONGEST_EXPIRY_S = 24 * 3600;

const count = whole(0);
const positive = whole(1);
const expiresIn = changed(number, (seconds) => Math.min(Math.max(seconds, 1), LONGEST_EXPIRY_S));
const status = oneOf("running", "paused", "finished");

const blobMembers = { url, sha256: text, bytes: count };
const blob = object(blobMembers);
const shard = object({ ...blobMembers, examples: positive });
const head = object({ version: count, steps: count, generation: count, sha256: string });
const evaluation = object({ version: count, loss: number, accuracy: number, examples: count, at: number }) satisfies Shape<Evaluation>;
const loss = oneOf("sparseCategoricalCrossentropy", "categoricalCrossentropy", "binaryCrossentropy", "meanSquaredError");

const encoding = oneOf("float32", "float16", "uint8", "uint16");

const peerTraining = object({
  rule: oneOf("average", "weighted", "mimic", "copy"),
  genesis: blob,
  steps: count,
}) satisfies Shape<PeerTraining>;

const peerUpdate = object({
  update_id: text,
  local_steps: positive,
  examples: positive,
  accuracy: nullable(number),
  encoding,
  quantization: array(object({ min: number, scale: number })),
  body: blob,
}) satisfies Shape<PeerUpdate>;

const exchanged = object({ peer: nullable(peerUpdate) }) satisfies Shape<Exchanged>;

const training = object({
  optimizer: oneOf("sgd", "momentum", "adam", "muon"),
  learning_rate: number,
  loss,
  local_steps: positive,
  batch_size: positive,
  encoding,
}) satisfies Shape<Training>;

const trainTask = object({
  kind: oneOf("train"),
  version: count,
  generation: count,
  model: blob,
  checkpoint: blob,
  shard: nullable(shard),
  offset: count,
  seed: count,
  training,
  peer: nullable(peerTraining),
  validation: nullable(shard),
  expires_in: expiresIn,
}) satisfies Shape<TrainTask>;

const evaluateTask = object({
  kind: oneOf("evaluate"),
  evaluation_id: text,
  version: count,
  generation: count,
  model: blob,
  checkpoint: blob,
  shards: array(shard, 1),
  batch_size: positive,
  loss,
  expires_in: expiresIn,
}) satisfies Shape<EvaluateTask>;

const waitTask = object({ kind: oneOf("wait"), seconds: number, reason: string }) satisfies Shape<WaitTask>;
const stopTask = object({ kind: oneOf("stop"), reason: string }) satisfies Shape<StopTask>;
const task = kinds({ train: trainTask, evaluate: evaluateTask, wait: waitTask, stop: stopTask }) satisfies Shape<Task>;

const membership = object({ client_id: text, token: text, expires_in: expiresIn }) satisfies Shape<Membership>;

const ticket = object({
  update_id: text,
  upload: object({ url, fields: record(string) }),
  expires_in: expiresIn,
}) satisfies Shape<Ticket>;

const update = object({
  update_id: text,
  state: oneOf("pending", "merged", "discarded", "rejected"),
  reason: nullable(string),
  base_version: count,
  version: nullable(count),
  staleness: nullable(count),
  discount: nullable(number),
}) satisfies Shape<Update>;

export const tensor = object(
  { name: string, shape: array(count), dtype: oneOf("float32", "int32", "bool") },
  { quantization: object({ dtype: oneOf("float16", "uint8", "uint16") }, { min: number, scale: number }) },
) satisfies Shape<TensorSpec>;

const run = object({
  run: text,
  title: string,
  description: string,
  created_at: number,
  status,
  head,
  metrics: nullable(evaluation),
  clients: count,
  live: absent(url, null),
  training,
  merge: object({ where: oneOf("server", "peer"), rule: string }),
  end: object({ accuracy: nullable(number), versions: nullable(count) }),
  data: object({
    train_examples: count,
    validation_examples: count,
    inputs: array(tensor),
    targets: array(tensor),
    labels: nullable(array(string)),
    own: oneOf("never", "may", "must"),
  }),
}) satisfies Shape<Run>;

const model = object({
  version: count,
  generation: count,
  model: blob,
  checkpoint: blob,
  expires_in: expiresIn,
}) satisfies Shape<CurrentModel>;

// Where an older server says less of a commit, this does.
const commit = object({
  version: count,
  from_version: count,
  generation: count,
  at: number,
  steps: count,
  clients: absent(count, 0),
  examples: count,
  bytes: count,
  checkpoint_bytes: absent(count, 0),
  staleness: array(count),
  discounts: array(number),
  restores: absent(count, null),
  left_out: absent(object({ clients: count, updates: count }), null),
  note: absent(string, ""),
});

const history = object({
  run: text,
  status,
  head,
  clients: count,
  commits: array(commit),
  evaluations: array(evaluation),
  next_after: nullable(count),
}) satisfies Shape<History>;

const CODES = [
  "invalid",
  "unauthorized",
  "missing",
  "method_not_allowed",
  "conflict",
  "too_large",
  "unsupported_media_type",
  "corrupt",
  "internal",
  "unavailable",
] as const satisfies readonly ErrorCode[];

const details = record(anything);

const refusal = object({
  error: object({
    // A code from a newer server: that this call failed is all this page can know, and the same holds for "internal".
    code: changed(string, (code): ErrorCode => CODES.find((known) => known === code) ?? "internal"),
    message: string,
    details: (value, path) => details(value ?? {}, path),
  }),
}) satisfies Shape<ErrorBody>;

/** Makes an answer of a parsed body. @throws NotUnderstood */
export type Reader<T> = (body: unknown) => T;

function reader<T>(name: string, shape: Shape<T>): Reader<T> {
  return (body) => {
    try {
      return shape(body, name);
    } catch (error) {
      throw error instanceof Strange ? new NotUnderstood(error.path) : error;
    }
  };
}

export const answers = {
  task: reader("task", task),
  membership: reader("membership", membership),
  ticket: reader("ticket", ticket),
  exchanged: reader("exchanged", exchanged),
  update: reader("update", update),
  run: reader("run", run),
  model: reader("model", model),
  runs: reader("runs", object({ runs: array(run) })),
  history: reader("history", history),
};

/** What is wrong, where the API itself says so in its own shape; else null. */
export function refusalIn(body: unknown): ErrorBody["error"] | null {
  try {
    return refusal(body, "").error;
  } catch {
    return null;
  }
}
