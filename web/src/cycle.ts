/** The cycle of a client: ask, do, send, again. */

import type { Clock } from "./clock";
import { Curiosity } from "./curiosity";
import { Delivery } from "./delivery";
import { NoData, NotUnderstood, Refused } from "./errors";
import type { Own, Portion } from "./own";
import { Peer } from "./peer";
import type { Api } from "./api";
import type { ClientEvent } from "./messages";
import type { Announcement, EvaluateTask, Membership, ShardBlob, Spec, StopTask, Task, TrainTask, WaitTask } from "./protocol";
import { sha256 } from "./sha256";
import type { BlobCache } from "./shards";
import { readSpec } from "./spec";
import type { Throttle } from "./throttle";
import type { AfterStep, Trained, Trainer } from "./trainer";

const STEP_EVENT_MS = 100;
const SPEED_MEMORY_MS = 2000;
const SHORTEST_WAIT_S = 0.25;
const LONGEST_WAIT_S = 3600;
const USUAL_WAIT_S = 30;
const WAIT_AFTER_NOTHING_S = 5;

export interface Parts {
  api: Api;
  trainer: Trainer;
  /** For specs and shards, which last. */
  blobs: BlobCache;
  clock: Clock;
  /** What to train on instead of the tasks' shards. */
  own?: Own;
  /** When the run was made, which tells it from another that is given its name. Without it whatever is there at first is it. */
  created?: number;
  /** For who may leave and come again. */
  known?: Known;
}

/** As whom the server knows this page: one client, however often it leaves and comes again. */
export interface Known {
  membership: Membership | null;
}

export interface Surroundings extends Parts {
  run: string;
  throttle: Throttle;
  signal: AbortSignal;
  emit(event: ClientEvent): void;
  /** Waits; may be cut short when there is reason to hope. */
  wait(seconds: number, reason: string): Promise<void>;
}

/** The run is over. */
export interface Over {
  reason: string;
}

export class Cycle {
  private readonly known: Known;
  /** Has this client ever been let in? */
  private joined: boolean;
  private created: number | undefined;
  /** The token of the membership that was told of. */
  private told: string | null = null;
  private readonly delivery: Delivery;
  private readonly curiosity: Curiosity;
  private readonly peer: Peer;
  private spec: { hash: string; spec: Spec } | null = null;
  private lastStepEvent = -Infinity;
  private speed = { examples: 0, milliseconds: 0 };

  constructor(private readonly around: Surroundings) {
    this.known = around.known ?? { membership: null };
    this.joined = this.known.membership !== null;
    this.created = around.created;
    this.curiosity = new Curiosity(around);
    this.peer = new Peer(around);
    this.delivery = new Delivery(around, (updateId) => {
      this.curiosity.sent(updateId);
      this.peer.sent(updateId);
    });
  }

  /** Null while the server has not let this client in. */
  get membershipToken(): string | null {
    return this.known.membership?.token ?? null;
  }

  /** Delivers what is left over, or does one task. Null: there is more to do. */
  async turn(): Promise<Over | null> {
    const { api, run, signal } = this.around;
    const token = await this.token();
    if (this.delivery.pending) {
      await this.delivery.deliver(token);
      await this.peer.meet(token);
      return null;
    }
    this.curiosity.wonder(token, 1);
    return this.perform(await api.nextTask(run, token, signal), token);
  }

  /** Goes on asking what became of sent updates while `paused`. */
  linger(paused: () => boolean): Promise<void> {
    return this.curiosity.linger(paused, () => this.membershipToken);
  }

  /** To be called when the server no longer knows the token. */
  forgetMembership(): void {
    this.known.membership = null;
    this.curiosity.forget();
  }

  private async token(): Promise<string> {
    const { api, run, signal, emit } = this.around;
    if (!this.known.membership) {
      if (this.joined || this.created === undefined) await this.checkRun();
      this.known.membership = await api.join(run, signal);
      this.joined = true;
    }
    const { client_id: clientId, token } = this.known.membership;
    if (token !== this.told) emit({ type: "joined", run, clientId });
    this.told = token;
    return token;
  }

  /** Who was let in is not led on to another run of the name. @throws Refused */
  private async checkRun(): Promise<void> {
    const { api, run, signal } = this.around;
    const { created_at: created } = await api.getRun(run, signal);
    this.created ??= created;
    if (created === this.created) return;
    throw new Refused(404, "missing", `the run ${run} was deleted, and another of its name was made since`);
  }

  private async perform(task: Task, token: string): Promise<Over | null> {
    switch (task.kind) {
      case "stop":
        return this.stop(task, token);
      case "wait":
        await this.wait(task, token);
        break;
      case "train":
        await this.train(task, token);
        break;
      case "evaluate":
        await this.evaluate(task, token);
        break;
      default:
        throw new NotUnderstood("task.kind");
    }
    this.around.emit({ type: "traffic", ...this.around.api.traffic });
    return null;
  }

  private async stop({ reason }: StopTask, token: string): Promise<Over> {
    // Nobody asks later, so what is known now is what the visitor will have been told.
    await this.curiosity.farewell(token);
    return { reason };
  }

  private async wait({ seconds, reason }: WaitTask, token: string): Promise<void> {
    await this.around.wait(bearable(seconds), reason);
    this.curiosity.wonder(token);
  }

  private async train(task: TrainTask, token: string): Promise<void> {
    const { trainer, emit, clock, throttle } = this.around;
    const deadline = clock.now() + task.expires_in * 1000;
    emit({ type: "task", kind: task.kind, version: task.version, generation: task.generation });
    const reading = this.specOf(task);
    const [spec, start, portion] = await Promise.all([reading, this.startOf(task, reading), this.portionOf(task, reading)]);
    const { generation } = task;
    const afterStep = this.afterStep(task.training.local_steps, deadline);
    const request = { spec, generation, afterStep, ...portion, ...start };
    const trained = await trainer.train(request).catch((error: unknown) => {
      this.peer.forget(); // weights of its own may be what went wrong
      throw error;
    });
    throttle.computed(trained.afterwardsMs);
    const accuracy = task.validation ? await this.validated(task, task.validation, spec, trained) : trained.accuracy;
    const steps = task.peer ? this.peer.trained(trained.weights!, trained.steps, accuracy) : trained.steps;
    const version = task.peer ? 0 : task.version;
    const announcement = await announcementOf({ ...trained, accuracy, steps }, version, generation);
    this.delivery.keep({ announcement, body: trained.body });
    await this.delivery.deliver(token);
    await this.peer.meet(token);
  }

  /** What a task trains on: its shard, or examples of the visitor's own. */
  private async portionOf(task: TrainTask, spec: Promise<Spec>): Promise<Portion> {
    const { own, blobs, signal } = this.around;
    if (own) return own.next(await spec, task.training);
    if (!task.shard) throw new NoData();
    const { shard, seed, offset, training } = task;
    return { shard: { body: await blobs.get(shard, signal), examples: shard.examples }, seed, offset, training };
  }

  /** What a task trains from. Where more is asked of the trained weights than a delta, with an origin. */
  private async startOf(task: TrainTask, spec: Promise<Spec>): Promise<{ checkpoint: ArrayBuffer; origin?: ArrayBuffer }> {
    if (task.peer) return this.peer.start(task, task.peer, await spec);
    const checkpoint = await this.around.api.download(task.checkpoint, this.around.signal);
    return task.validation ? { checkpoint, origin: checkpoint } : { checkpoint };
  }

  /** The accuracy of what was trained. */
  private async validated(task: TrainTask, blob: ShardBlob, spec: Spec, { weights }: Trained): Promise<number | null> {
    const { trainer, blobs, signal, throttle } = this.around;
    const shards = [{ body: await blobs.get(blob, signal), examples: blob.examples }];
    const { batch_size: batchSize, loss } = task.training;
    const afterStep: AfterStep = async ({ milliseconds }) => {
      await throttle.after(milliseconds);
      return true;
    };
    const checkpoint = weights!.slice().buffer;
    const found = await trainer.evaluate({ spec, checkpoint, shards, batchSize, loss, afterStep });
    return found && found.accuracy;
  }

  private async evaluate(task: EvaluateTask, token: string): Promise<void> {
    const { api, trainer, blobs, run, signal, emit, clock } = this.around;
    const deadline = clock.now() + task.expires_in * 1000;
    emit({ type: "task", kind: task.kind, version: task.version, generation: task.generation });
    const [spec, checkpoint, ...bodies] = await Promise.all([
      this.specOf(task),
      api.download(task.checkpoint, signal),
      ...task.shards.map((shard) => blobs.get(shard, signal)),
    ]);
    const shards = bodies.map((body, i) => ({ body, examples: task.shards[i]!.examples }));
    const { batch_size: batchSize, loss, evaluation_id, version } = task;
    const afterStep: AfterStep = async ({ milliseconds }) => {
      await this.around.throttle.after(milliseconds);
      return clock.now() < deadline;
    };
    const found = await trainer.evaluate({ spec, checkpoint, shards, batchSize, loss, afterStep });
    // The server may well ask for the same again, and must not get nothing in a hurry.
    if (!found) return this.around.wait(WAIT_AFTER_NOTHING_S, "this machine could not evaluate in time");
    await api.report(run, token, { evaluation_id, version, ...found }, signal);
    emit({ type: "evaluated", version, ...found });
  }

  private async specOf(task: TrainTask | EvaluateTask): Promise<Spec> {
    const { sha256: hash } = task.model;
    if (this.spec?.hash !== hash) {
      const body = await this.around.blobs.get(task.model, this.around.signal);
      this.spec = { hash, spec: readSpec(body) };
    }
    return this.spec.spec;
  }

  /** Tells, throttles, and ends the training in time for its result to be wanted. */
  private afterStep(steps: number, deadline: number): AfterStep {
    const { clock, throttle, emit } = this.around;
    return ({ step, loss, accuracy, examples, milliseconds }) => {
      const fading = Math.exp(-milliseconds / SPEED_MEMORY_MS);
      this.speed.examples = this.speed.examples * fading + examples;
      this.speed.milliseconds = this.speed.milliseconds * fading + milliseconds;
      const now = clock.now();
      if (step === steps || now - this.lastStepEvent >= STEP_EVENT_MS) {
        this.lastStepEvent = now;
        const imagesPerSecond = (1000 * this.speed.examples) / Math.max(this.speed.milliseconds, 0.001);
        emit({ type: "step", step, steps, loss, accuracy, imagesPerSecond });
      }
      const pause = throttle.after(milliseconds);
      return pause ? pause.then(() => clock.now() < deadline) : now < deadline;
    };
  }
}

/** Never at once, whatever the server says, for a client must not hammer; and never for so long that it is forgotten. */
function bearable(seconds: number): number {
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, SHORTEST_WAIT_S), LONGEST_WAIT_S) : USUAL_WAIT_S;
}

async function announcementOf(trained: Trained, version: number, generation: number): Promise<Announcement> {
  const { loss, accuracy, steps, examples, encoding, body, quantization } = trained;
  return {
    base_version: version,
    generation,
    local_steps: steps,
    examples,
    bytes: body.byteLength,
    sha256: await sha256(body),
    encoding,
    metrics: accuracy === null ? { loss } : { loss, accuracy },
    ...(quantization ? { quantization } : {}),
  };
}
