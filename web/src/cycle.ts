/**
 * The cycle of a client: ask, do, send, again.
 *
 * What was trained is not lost with the network: it is kept, with its ticket once there is one, until storage has it or
 * the server wants it no more. The ticket is kept because an upload whose answer was lost may have arrived: sent again
 * under the same ticket it is the same update, under a new one it would be merged twice.
 */

import type { Clock } from "./clock";
import { Refused, Stale } from "./errors";
import type { Api } from "./api";
import type { Announcement, ClientEvent, EvaluateTask, Membership, Spec, StopTask, Task, Ticket, TrainTask, WaitTask } from "./protocol";
import { sha256 } from "./sha256";
import type { BlobCache } from "./shards";
import type { Throttle } from "./throttle";
import type { AfterStep, Trained, Trainer } from "./trainer";

const STEP_EVENT_MS = 100;
const SETTLING_MS = 1500;
const MOST_UNSETTLED = 500;
const SPEED_MEMORY_MS = 2000;
const SETTLED_PER_WAIT = 10;
const LONGEST_LINGERING_MS = 60_000;
const SHORTEST_WAIT_S = 0.25;

export interface Parts {
  api: Api;
  trainer: Trainer;
  /** For specs and shards, which last. */
  blobs: BlobCache;
  clock: Clock;
}

export interface Surroundings extends Parts {
  run: string;
  throttle: Throttle;
  signal: AbortSignal;
  emit(event: ClientEvent): void;
  /** Waits; may be cut short when there is reason to hope. */
  wait(seconds: number, reason: string): Promise<void>;
}

interface Unsent {
  announcement: Announcement;
  body: Uint8Array<ArrayBuffer>;
  ticket: Ticket | null;
}

interface Unsettled {
  id: string;
  since: number;
}

export class Cycle {
  private membership: Membership | null = null;
  private unsent: Unsent | null = null;
  private unsettled: Unsettled[] = [];
  private spec: { hash: string; spec: Spec } | null = null;
  private lingering = false;
  private lastStepEvent = -Infinity;
  private speed = { examples: 0, milliseconds: 0 };

  constructor(private readonly around: Surroundings) {}

  /** Has this client ever been let in? */
  joined = false;

  /** Delivers what is left over, or does one task. Gives the reason when the run is over, else null. */
  async turn(): Promise<string | null> {
    const { api, run, signal } = this.around;
    const token = await this.token();
    if (this.unsent) {
      await this.deliver(token, this.unsent);
      return null;
    }
    const [task] = await Promise.all([api.nextTask(run, token, signal), this.settle(token, 1)]);
    return this.perform(task, token);
  }

  /** Goes on asking what became of sent updates, ever less often, while `paused` and any are left. */
  async linger(paused: () => boolean): Promise<void> {
    if (this.lingering) return;
    this.lingering = true;
    const { clock, signal } = this.around;
    for (let pauseMs = SETTLING_MS; paused() && this.unsettled.length > 0; pauseMs *= 1.5) {
      await clock.sleep(Math.min(pauseMs, LONGEST_LINGERING_MS), signal).catch(() => undefined);
      if (paused()) await this.settle(await this.token(), SETTLED_PER_WAIT);
    }
    this.lingering = false;
  }

  /** To be called when the server no longer knows the token. */
  forgetMembership(): void {
    this.membership = null;
    this.unsettled = [];
  }

  private async token(): Promise<string> {
    if (!this.membership) {
      const { api, run, signal, emit } = this.around;
      this.membership = await api.join(run, signal);
      this.joined = true;
      emit({ type: "joined", run, clientId: this.membership.client_id });
    }
    return this.membership.token;
  }

  private async perform(task: Task, token: string): Promise<string | null> {
    if (task.kind === "stop") return this.stop(task, token);
    if (task.kind === "wait") await this.wait(task, token);
    if (task.kind === "train") await this.train(task, token);
    if (task.kind === "evaluate") await this.evaluate(task, token);
    this.around.emit({ type: "traffic", ...this.around.api.traffic });
    return null;
  }

  private async stop(task: StopTask, token: string): Promise<string> {
    // Nobody asks later, so what is known now is what the visitor will have been told.
    await this.settle(token, MOST_UNSETTLED, 0);
    return task.reason;
  }

  private async wait(task: WaitTask, token: string): Promise<void> {
    // Never at once, whatever the server says: a client must not hammer.
    await this.around.wait(Math.max(task.seconds, SHORTEST_WAIT_S), task.reason);
    await this.settle(token, SETTLED_PER_WAIT);
  }

  private async train(task: TrainTask, token: string): Promise<void> {
    const { api, trainer, blobs, signal, emit, clock } = this.around;
    const deadline = clock.now() + task.expires_in * 1000;
    emit({ type: "task", kind: task.kind, version: task.version, generation: task.generation });
    const [spec, checkpoint, body] = await Promise.all([
      this.specOf(task),
      api.download(task.checkpoint, signal),
      blobs.get(task.shard, signal),
    ]);
    const { seed, offset, training, generation } = task;
    const shard = { body, examples: task.shard.examples };
    const afterStep = this.afterStep(training.local_steps, deadline);
    const trained = await trainer.train({ spec, checkpoint, shard, seed, offset, training, generation, afterStep });
    this.unsent = { announcement: await announcementOf(task, trained), body: trained.body, ticket: null };
    await this.deliver(token, this.unsent);
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
    if (!found) return;
    await api.report(run, token, { evaluation_id, version, ...found }, signal);
    emit({ type: "evaluated", version, ...found });
  }

  private async specOf(task: TrainTask | EvaluateTask): Promise<Spec> {
    const { sha256: hash } = task.model;
    if (this.spec?.hash !== hash) {
      const body = await this.around.blobs.get(task.model, this.around.signal);
      this.spec = { hash, spec: JSON.parse(new TextDecoder().decode(body)) as Spec };
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

  private async deliver(token: string, unsent: Unsent): Promise<void> {
    try {
      await this.send(token, unsent);
    } catch (error) {
      if (isUnwanted(error)) this.unsent = null;
      throw error;
    }
    this.unsent = null;
  }

  private async send(token: string, unsent: Unsent): Promise<void> {
    const { api, run, signal, clock, emit } = this.around;
    const { announcement, body } = unsent;
    unsent.ticket ??= await api.announce(run, token, announcement, signal);
    await api.upload(unsent.ticket.upload, body, signal);
    const { update_id: updateId } = unsent.ticket;
    this.unsettled = [...this.unsettled, { id: updateId, since: clock.now() }].slice(-MOST_UNSETTLED);
    const { base_version: version, local_steps: steps, examples, bytes } = announcement;
    emit({ type: "uploaded", updateId, version, steps, examples, bytes });
  }

  /** Asks what became of the oldest updates, once they have had time to be merged. Curiosity: no failure matters. */
  private async settle(token: string, most: number, ageMs = SETTLING_MS): Promise<void> {
    const { clock } = this.around;
    const due = this.unsettled.filter(({ since }) => clock.now() - since >= ageMs).slice(0, most);
    for (const one of due) if (!(await this.settleOne(token, one))) return;
  }

  /** False when the server does not answer. */
  private async settleOne(token: string, one: Unsettled): Promise<boolean> {
    const { api, run, signal, clock, emit } = this.around;
    const found = await api.getUpdate(run, token, one.id, signal).catch(() => null);
    // Somebody else may have asked meanwhile, and it must not be told twice.
    if (!this.unsettled.includes(one)) return true;
    this.unsettled = this.unsettled.filter((other) => other !== one);
    if (found?.state === "pending") this.unsettled.push({ id: one.id, since: clock.now() });
    else if (found) emit({ type: "settled", updateId: one.id, ...pick(found) });
    return found !== null;
  }
}

function pick({ state, reason, version, staleness }: Awaited<ReturnType<Api["getUpdate"]>>) {
  return { state, reason, version, staleness };
}

/** Would sending the same thing again be in vain? A token can be renewed, anything else is a verdict. */
function isUnwanted(error: unknown): boolean {
  return error instanceof Stale || (error instanceof Refused && error.code !== "unauthorized");
}

async function announcementOf(task: TrainTask, trained: Trained): Promise<Announcement> {
  const { loss, accuracy, steps, examples, encoding, body, quantization } = trained;
  return {
    base_version: task.version,
    generation: task.generation,
    local_steps: steps,
    examples,
    bytes: body.byteLength,
    sha256: await sha256(body),
    encoding,
    metrics: accuracy === null ? { loss } : { loss, accuracy },
    ...(quantization ? { quantization } : {}),
  };
}
