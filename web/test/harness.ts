/** A client among plain objects: a server that can be told what to say, and a trainer that takes no time. */

import type { Api } from "../src/api";
import { join, type Client } from "../src/client";
import type { ClientEvent } from "../src/messages";
import type { Announcement, Blob, EvaluationReport, FailureReport, Run, Task, Ticket, Update } from "../src/protocol";
import { sha256 } from "../src/sha256";
import type { BlobCache } from "../src/shards";
import type { EvaluateRequest, Trained, Trainer, TrainRequest } from "../src/trainer";
import { testClock, type TestClock } from "./clock";
import { digits, training } from "./specs";

const blob = (name: string): Blob => ({ url: `blob:${name}`, sha256: name, bytes: 1 });
const common = { generation: 0, model: blob("model"), checkpoint: blob("checkpoint"), expires_in: 600 };

export const trainTask = (version: number): Task => ({
  kind: "train",
  version,
  ...common,
  shard: { ...blob("shard"), examples: 10 },
  offset: 0,
  seed: 1,
  training,
  peer: null,
  validation: null,
});

export const evaluateTask: Task = {
  kind: "evaluate",
  version: 3,
  evaluation_id: "e1",
  ...common,
  shards: [{ ...blob("a"), examples: 10 }, { ...blob("b"), examples: 5 }],
  batch_size: 4,
  loss: "sparseCategoricalCrossentropy",
};

export const stopTask: Task = { kind: "stop", reason: "the run is finished" };

export class Harness {
  readonly clock: TestClock = testClock();
  readonly events: ClientEvent[] = [];
  /** What the server and the trainer were asked, in order. */
  readonly calls: string[] = [];
  readonly announced: Announcement[] = [];
  readonly uploaded: string[] = [];
  readonly reported: EvaluationReport[] = [];
  readonly complained: FailureReport[] = [];
  /** What the server says next; when it runs out, the run is over. */
  tasks: (Task | Error)[] = [];
  /** Errors to throw, by call; each is thrown once. */
  readonly faults = new Map<string, (Error | undefined)[]>();
  /** When the run was made that there is now. */
  created = 1;
  stepMs = 10;
  resets = 0;
  /** What became of the optimizer's state, in order. */
  readonly kept: ("saved" | "dropped")[] = [];
  private tickets = 0;
  private tokens = 0;

  fail(call: string, ...errors: (Error | undefined)[]): void {
    this.faults.set(call, errors);
  }

  /** Events of one type. */
  of<T extends ClientEvent["type"]>(type: T): Extract<ClientEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<ClientEvent, { type: T }> => event.type === type);
  }

  /** `anyOfTheName`: it is not said which of the runs of the name is meant. */
  join(options: { power?: number; signal?: AbortSignal; anyOfTheName?: boolean; onEvent?(event: ClientEvent): void } = {}): Client {
    const onEvent = (event: ClientEvent) => {
      this.events.push(event);
      options.onEvent?.(event);
    };
    const { api, trainer, blobs, clock } = this;
    const signal = options.signal ? { signal: options.signal } : {};
    const made = options.anyOfTheName ? {} : { created: 1 };
    return join({ api, trainer, blobs, clock, run: "digits", ...made, power: options.power ?? 100, onEvent, ...signal });
  }

  /** Runs until the run is over; gives the reason. */
  async run(options: Parameters<Harness["join"]>[0] = {}): Promise<string> {
    const client = this.join(options);
    client.start();
    return client.finished;
  }

  private note(call: string): void {
    this.calls.push(call);
    const error = this.faults.get(call)?.shift();
    if (error !== undefined) throw error;
  }

  // Awaiting first lets a signal or a button in, as a real network does.
  private async asked<T>(call: string, answer: () => T, signal?: AbortSignal): Promise<T> {
    await this.clock.breathe();
    signal?.throwIfAborted();
    this.note(call);
    return answer();
  }

  private nextTask(): Task {
    const next = this.tasks.shift() ?? stopTask;
    if (next instanceof Error) throw next;
    return next;
  }

  private ticket(announcement: Announcement): Ticket {
    this.announced.push(announcement);
    const update_id = `update-${++this.tickets}`;
    return { update_id, upload: { url: update_id, fields: {} }, expires_in: 600 };
  }

  private settled(update_id: string): Update {
    return { update_id, state: "merged", reason: null, base_version: 0, version: 1, staleness: 0, discount: 1 };
  }

  readonly api: Api = {
    traffic: { up: 1, down: 2 },
    listRuns: () => Promise.reject(new Error("not asked by a client")),
    getRun: (_run, signal) => this.asked("run", () => ({ created_at: this.created }) as Run, signal),
    getHistory: () => Promise.reject(new Error("not asked by a client")),
    getModel: () => Promise.reject(new Error("not asked by a client")),
    join: (_run, signal) =>
      this.asked("join", () => ({ client_id: "c", token: `token-${++this.tokens}`, expires_in: 3600 }), signal),
    nextTask: (_run, token, signal) => this.asked(`task ${token}`, () => this.nextTask(), signal),
    announce: (_run, _token, announcement, signal) => this.asked("announce", () => this.ticket(announcement), signal),
    upload: ({ url }, _body, signal) => this.asked("upload", () => void this.uploaded.push(url), signal),
    getUpdate: (_run, _token, update, signal) => this.asked("update", () => this.settled(update), signal),
    exchange: () => Promise.reject(new Error("not asked but by peers")),
    report: (_run, _token, report, signal) =>
      this.asked("report", () => ({ ...report, at: this.reported.push(report) }), signal),
    complain: (_run, token, report, signal) =>
      this.asked(`complain ${token}`, () => void this.complained.push(report), signal),
    download: (wanted, signal) => this.asked(`download ${wanted.sha256}`, () => new ArrayBuffer(4), signal),
  };

  readonly blobs: BlobCache = {
    get: (wanted, signal) => {
      const body = wanted.sha256 === "model" ? new TextEncoder().encode(JSON.stringify(digits)).buffer : new ArrayBuffer(8);
      return this.asked(`blob ${wanted.sha256}`, () => body, signal);
    },
  };

  readonly trainer: Trainer = {
    save: () => Promise.resolve(void this.kept.push("saved")),
    drop: () => Promise.resolve(void this.kept.push("dropped")),
    reset: () => void this.resets++,
    train: (request) => this.train(request),
    evaluate: (request) => this.evaluate(request),
  };

  private async train({ training: { local_steps }, afterStep }: TrainRequest): Promise<Trained> {
    this.note("train");
    let steps = 0;
    for (let more = true; more && steps < local_steps; ) {
      this.clock.spend(this.stepMs);
      more = await afterStep({ step: ++steps, loss: 1 / steps, accuracy: 0.5, examples: 64, milliseconds: this.stepMs });
    }
    const done = { steps, examples: 64 * steps, loss: 1 / steps, accuracy: 0.5, weights: null, afterwardsMs: 0 };
    return { body: new Uint8Array([1, 2, 3]), encoding: "float32", ...done };
  }

  private async evaluate({ shards, afterStep }: EvaluateRequest) {
    this.note("evaluate");
    this.clock.spend(this.stepMs);
    const examples = shards.reduce((sum, shard) => sum + shard.examples, 0);
    const more = await afterStep({ step: 1, loss: 0.3, accuracy: 0.9, examples, milliseconds: this.stepMs });
    return more ? { loss: 0.3, accuracy: 0.9, examples } : null;
  }
}

export const hashOf = (bytes: number[]): Promise<string> => sha256(new Uint8Array(bytes));
