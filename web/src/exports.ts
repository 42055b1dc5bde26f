/** What is public of the library in browsers and in Node alike: all of it but `join`. */

import type { WorkerLike } from "./employ";

export type { WorkerLike } from "./employ";
export { BadSpec, Corrupt, Diverged, InvalidData, NoBackend, NoData, NotUnderstood, NoWorker, Refused, Stale, Unavailable } from "./errors";
export { follow, type FollowOptions } from "./following";
export type { About, Cost, Story, Totals } from "./follow";
export { apiOf, listRuns } from "./joining";
export type { Measure, Move } from "./live";
export type { BackendName, ClientEvent, Measured, Prediction, WorkerEvent } from "./messages";
export type {
  Commit,
  Encoding,
  ErrorCode,
  Evaluation,
  Head,
  LossName,
  OptimizerName,
  OwnUse,
  Run as RunDescription,
  RunData,
  Status,
  TensorSpec,
  Training,
  UpdateState,
} from "./protocol";
export type { ContributeOptions, Contribution, EventName, EventOf, OwnData, PredictOptions, Run, RunEvent } from "./run";

export interface JoinOptions {
  /** Ends the asking. */
  signal?: AbortSignal;
  /**
   * Makes the worker, where a page's bundler or its content security policy wants it another way: a module worker whose
   * program is `@webnn/client/worker`. Means nothing in Node.
   */
  worker?: () => WorkerLike;
}
