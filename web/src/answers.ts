/**
 * What the server may answer, checked where it comes in: everything behind trusts the types of `protocol.ts`.
 *
 * Members that this page does not know are let through, so that a server may say more. A kind or a shape that it does not
 * know is no answer at all: the server is newer than the page, or something else answered in its place.
 */

import * as v from "valibot";

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

/** Longer than anything here lasts, and still a time that can be reckoned with. */
const LONGEST_EXPIRY_S = 24 * 3600;

type Schema<T> = v.GenericSchema<unknown, T>;

const number = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const positive = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const expiresIn = v.pipe(number, v.transform((seconds) => Math.min(Math.max(seconds, 1), LONGEST_EXPIRY_S)));
const text = v.pipe(v.string(), v.nonEmpty());
const status = v.picklist(["running", "paused", "finished"]);

const url = v.pipe(v.string(), v.url());

const blobMembers = { url, sha256: text, bytes: count };
const blob = v.object(blobMembers);
const shard = v.object({ ...blobMembers, examples: positive });
const head = v.object({ version: count, steps: count, generation: count, sha256: v.string() });
const evaluation = v.object({ version: count, loss: number, accuracy: number, examples: count, at: number }) satisfies Schema<Evaluation>;
const loss = v.picklist([
  "sparseCategoricalCrossentropy",
  "categoricalCrossentropy",
  "binaryCrossentropy",
  "meanSquaredError",
]);

const encoding = v.picklist(["float32", "float16", "uint8", "uint16"]);

const peerTraining = v.object({
  rule: v.picklist(["average", "weighted", "mimic", "copy"]),
  genesis: blob,
  steps: count,
}) satisfies Schema<PeerTraining>;

const peerUpdate = v.object({
  update_id: text,
  local_steps: positive,
  examples: positive,
  accuracy: v.nullable(number),
  encoding,
  quantization: v.array(v.object({ min: number, scale: number })),
  body: blob,
}) satisfies Schema<PeerUpdate>;

const exchanged = v.object({ peer: v.nullable(peerUpdate) }) satisfies Schema<Exchanged>;

const training = v.object({
  optimizer: v.picklist(["sgd", "momentum", "adam", "muon"]),
  learning_rate: number,
  loss,
  local_steps: positive,
  batch_size: positive,
  encoding,
}) satisfies Schema<Training>;

const trainTask = v.object({
  kind: v.literal("train"),
  version: count,
  generation: count,
  model: blob,
  checkpoint: blob,
  shard: v.nullable(shard),
  offset: count,
  seed: count,
  training,
  peer: v.nullable(peerTraining),
  validation: v.nullable(shard),
  expires_in: expiresIn,
}) satisfies Schema<TrainTask>;

const evaluateTask = v.object({
  kind: v.literal("evaluate"),
  evaluation_id: text,
  version: count,
  generation: count,
  model: blob,
  checkpoint: blob,
  shards: v.pipe(v.array(shard), v.minLength(1)),
  batch_size: positive,
  loss,
  expires_in: expiresIn,
}) satisfies Schema<EvaluateTask>;

const waitTask = v.object({ kind: v.literal("wait"), seconds: number, reason: v.string() }) satisfies Schema<WaitTask>;
const stopTask = v.object({ kind: v.literal("stop"), reason: v.string() }) satisfies Schema<StopTask>;
const task = v.variant("kind", [trainTask, evaluateTask, waitTask, stopTask]) satisfies Schema<Task>;

const membership = v.object({ client_id: text, token: text, expires_in: expiresIn }) satisfies Schema<Membership>;

const ticket = v.object({
  update_id: text,
  upload: v.object({ url, fields: v.record(v.string(), v.string()) }),
  expires_in: expiresIn,
}) satisfies Schema<Ticket>;

const update = v.object({
  update_id: text,
  state: v.picklist(["pending", "merged", "discarded", "rejected"]),
  reason: v.nullable(v.string()),
  base_version: count,
  version: v.nullable(count),
  staleness: v.nullable(count),
  discount: v.nullable(number),
}) satisfies Schema<Update>;

// Without absent members that are there and undefined: an exact type has no room for those.
const tensor = v.object({
  name: v.string(),
  shape: v.array(count),
  dtype: v.picklist(["float32", "int32", "bool"]),
  quantization: v.exactOptional(
    v.object({
      dtype: v.picklist(["float16", "uint8", "uint16"]),
      min: v.exactOptional(number),
      scale: v.exactOptional(number),
    }),
  ),
}) satisfies Schema<TensorSpec>;

const run = v.object({
  run: text,
  title: v.string(),
  description: v.string(),
  created_at: number,
  status,
  head,
  metrics: v.nullable(evaluation),
  clients: count,
  live: v.nullish(url, null),
  training,
  merge: v.object({ where: v.picklist(["server", "peer"]), rule: v.string() }),
  end: v.object({ accuracy: v.nullable(number), versions: v.nullable(count) }),
  data: v.object({
    train_examples: count,
    validation_examples: count,
    inputs: v.array(tensor),
    targets: v.array(tensor),
    labels: v.nullable(v.array(v.string())),
    own: v.picklist(["never", "may", "must"]),
  }),
}) satisfies Schema<Run>;

const model = v.object({
  version: count,
  generation: count,
  model: blob,
  checkpoint: blob,
  expires_in: expiresIn,
}) satisfies Schema<CurrentModel>;

// Where an older server says less of a commit, this does.
const commit = v.object({
  version: count,
  from_version: count,
  generation: count,
  at: number,
  steps: count,
  clients: v.optional(count, 0),
  examples: count,
  bytes: count,
  checkpoint_bytes: v.optional(count, 0),
  staleness: v.array(count),
  discounts: v.array(number),
  restores: v.nullish(count, null),
  left_out: v.nullish(v.object({ clients: count, updates: count }), null),
});

const history = v.object({
  run: text,
  status,
  head,
  clients: count,
  commits: v.array(commit),
  evaluations: v.array(evaluation),
  next_after: v.nullable(count),
}) satisfies Schema<History>;

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

const refusal = v.object({
  error: v.object({
    // A code from a newer server: that this call failed is all this page can know, and the same holds for "internal".
    code: v.pipe(v.string(), v.transform((code): ErrorCode => CODES.find((known) => known === code) ?? "internal")),
    message: v.string(),
    details: v.optional(v.record(v.string(), v.unknown()), {}),
  }),
}) satisfies Schema<ErrorBody>;

/** Makes an answer of a parsed body. @throws NotUnderstood */
export type Reader<T> = (body: unknown) => T;

function reader<T>(name: string, schema: Schema<T>): Reader<T> {
  return (body) => {
    const found = v.safeParse(schema, body, { abortEarly: true });
    if (found.success) return found.output;
    const path = v.getDotPath(found.issues[0]);
    throw new NotUnderstood(path === null ? name : `${name}.${path}`);
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
  runs: reader("runs", v.object({ runs: v.array(run) })),
  history: reader("history", history),
};

/** What is wrong, where the API itself says so in its own shape; else null. */
export function refusalIn(body: unknown): ErrorBody["error"] | null {
  const found = v.safeParse(refusal, body);
  return found.success ? found.output.error : null;
}
