/** A run as a program sees it: a handle on the worker, which is started when there is something for it to do. */

import type { Employee } from "./employ";
import { InvalidData, NoData, NoWorker, thrownAs } from "./errors";
import { examplesIn, numbersOf } from "./fit";
import { checkedPower } from "./power";
import type { BackendName, OwnExamples, PageMessage, Prediction, WorkerEvent, WorkerMessage } from "./messages";
import type { Run as RunDescription } from "./protocol";

/** Everything that a run tells of the work on it here. */
export type RunEvent = WorkerEvent;
export type EventName = RunEvent["type"];
export type EventOf<K extends EventName> = Extract<RunEvent, { type: K }>;

/**
 * Examples of a visitor's own: for each tensor of the spec's data, in order, the values of all examples, one after another.
 * They stay on this machine.
 */
export interface OwnData {
  inputs: ArrayLike<number>[];
  targets: ArrayLike<number>[];
}

export interface ContributeOptions {
  /** Percent of the time that training may take, 1 … 100 (which is the default). */
  power?: number;
  /** Null, the default: the fastest, which is measured. */
  backend?: BackendName | null;
  /** To train on instead of the run's own data. */
  data?: OwnData;
  /** Aborting it is stopping. */
  signal?: AbortSignal;
}

export interface PredictOptions {
  signal?: AbortSignal;
  /** A version that is known to exist: older weights are replaced first. Without it the newest are asked for once a minute. */
  version?: number;
}

/** Taking part in a run. */
export interface Contribution {
  /** Holds after the current step. */
  pause(): void;
  resume(): void;
  /** Percent of the time that training may take, 1 … 100. @throws RangeError, TypeError */
  setPower(percent: number): void;
  /** The network is back, or somebody looks: do not wait any longer. */
  wake(): void;
  /** Leaves the run; resolves as `finished` does. */
  stop(): Promise<string>;
  /** Why it ended: the run is over, or it was stopped. Rejects where it cannot take part, with an error that says why. */
  readonly finished: Promise<string>;
}

export interface Run {
  /** As it was when it was joined. */
  readonly description: RunDescription;
  /** Base URL of its API. */
  readonly api: string;
  /** Starts the worker now, which loads TF.js meanwhile, though there is nothing for it to do yet. */
  prepare(): void;
  /**
   * Trains for the run until it is over, in a worker.
   *
   * @throws InvalidData where the run wants no data of one's own, NoData where it wants nothing else
   * @throws RangeError, TypeError where the power is none
   * @throws Error where it is being contributed to already
   */
  contribute(options?: ContributeOptions): Contribution;
  /**
   * What the newest weights make of examples: for each input of the model the values of one or more examples, one after
   * another. A model of one input takes them as they are, too.
   *
   * @throws InvalidData, Refused, Unavailable, BadSpec, NoWorker; the signal's reason
   */
  predict(x: ArrayLike<number> | ArrayLike<number>[], options?: PredictOptions): Promise<Prediction>;
  /** Calls `listener` at each event of a type, until the signal aborts or what this gives is called. */
  on<K extends EventName>(type: K, listener: (event: EventOf<K>) => void, options?: { signal?: AbortSignal }): () => void;
  /** Ends the worker and what runs in it, at once; what is asked of the run afterwards begins a new one. */
  close(): void;
}

/** Who is to do the work; null where nobody can. */
export type Hire = (ears: { onMessage(message: WorkerMessage): void; onFailure(): void }) => Employee | null;

/** A handle on a run. */
export function createRun(description: RunDescription, api: string, hire: Hire): Run {
  return new Handle(description, api, hire);
}

interface Asked {
  resolve(prediction: Prediction): void;
  reject(error: Error): void;
}

class Handle implements Run {
  private readonly target = new EventTarget();
  private readonly asked = new Map<number, Asked>();
  private worker: Employee | null = null;
  private part: Part | null = null;
  private questions = 0;
  /** Workers so far, and closings. */
  private terms = 0;

  constructor(
    readonly description: RunDescription,
    readonly api: string,
    private readonly hire: Hire,
  ) {}

  prepare(): void {
    this.worker ??= this.hired();
  }

  contribute({ power = 100, backend = null, data, signal }: ContributeOptions = {}): Contribution {
    signal?.throwIfAborted();
    if (this.part) throw new Error("this run is being contributed to already");
    const [percent, own] = [checkedPower(power), this.ownOf(data)];
    const part = new Part((message) => this.worker?.say(message), signal);
    this.part = part;
    this.say({ type: "join", power: percent, backend, data: own });
    return part;
  }

  async predict(x: ArrayLike<number> | ArrayLike<number>[], { signal, version }: PredictOptions = {}): Promise<Prediction> {
    signal?.throwIfAborted();
    const given = eachInput(x);
    examplesIn(this.description.data, given);
    const inputs = numbersOf(this.description.data.inputs, given);
    const id = this.questions++;
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.asked.delete(id);
        reject(signal!.reason as Error);
      };
      const settled = () => signal?.removeEventListener("abort", leave);
      this.asked.set(id, {
        resolve: (prediction) => (settled(), resolve(prediction)),
        reject: (error) => (settled(), reject(error)),
      });
      signal?.addEventListener("abort", leave, { once: true });
      this.say({ type: "predict", id, inputs, version: version ?? null });
    });
  }

  on<K extends EventName>(type: K, listener: (event: EventOf<K>) => void, { signal }: { signal?: AbortSignal } = {}): () => void {
    const hear = (event: Event) => listener((event as CustomEvent<EventOf<K>>).detail);
    this.target.addEventListener(type, hear, signal ? { signal } : {});
    return () => this.target.removeEventListener(type, hear);
  }

  close(): void {
    this.worker?.dismiss();
    this.worker = null;
    this.terms++;
    this.over(new DOMException("the run was closed", "AbortError"), { type: "stopped", reason: "left" });
  }

  private ownOf(data: OwnData | undefined): OwnExamples | null {
    const { own, inputs, targets } = this.description.data;
    if (data && own === "never") throw new InvalidData(null, "this run trains on its owner's data only");
    if (!data && own === "must") throw new NoData();
    if (data) examplesIn(this.description.data, data.inputs, data.targets);
    return data ? { inputs: numbersOf(inputs, data.inputs), targets: numbersOf(targets, data.targets) } : null;
  }

  private say(message: PageMessage): void {
    this.prepare();
    if (this.worker) this.worker.say(message);
    else queueMicrotask(() => this.fail());
  }

  private hired(): Employee | null {
    const term = ++this.terms;
    const now = (hear: () => void) => {
      if (term === this.terms) hear();
    };
    // One that was let go may still be heard.
    const worker = this.hire({ onMessage: (message) => now(() => this.hear(message)), onFailure: () => now(() => this.fail()) });
    const { run, created_at: created } = this.description;
    worker?.say({ type: "open", api: this.api, run, created });
    return worker;
  }

  private hear(message: WorkerMessage): void {
    if (message.type === "event") this.emit(message.event);
    if (message.type === "predicted") this.answered(message.id)?.resolve(message.prediction);
    if (message.type === "unpredicted") this.answered(message.id)?.reject(thrownAs(message.code, message.message));
  }

  private answered(id: number): Asked | undefined {
    const asked = this.asked.get(id);
    this.asked.delete(id);
    return asked;
  }

  private emit(event: RunEvent): void {
    const { part } = this;
    if (event.type === "stopped") this.part = null;
    this.target.dispatchEvent(new CustomEvent(event.type, { detail: event }));
    part?.hear(event);
  }

  private fail(): void {
    this.worker = null;
    const message = "training could not start in this browser, or broke off";
    if (this.part) this.emit({ type: "error", code: "no_worker", message, fatal: true });
    this.over(new NoWorker(message), { type: "stopped", reason: message });
  }

  private over(error: Error, event: RunEvent): void {
    for (const { reject } of this.asked.values()) reject(error);
    this.asked.clear();
    if (this.part) this.emit(event);
  }
}

class Part implements Contribution {
  readonly finished: Promise<string>;
  private settle: { resolve(reason: string): void; reject(error: Error): void } = { resolve: () => undefined, reject: () => undefined };
  private failure: Error | null = null;
  private readonly ended = new AbortController();

  constructor(
    private readonly say: (message: PageMessage) => void,
    signal?: AbortSignal,
  ) {
    this.finished = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    // Who does not ask how it ended need not be told.
    this.finished.catch(() => undefined);
    const { signal: ended } = this.ended;
    signal?.addEventListener("abort", () => void this.stop(), { signal: ended });
    const here = globalThis as Partial<Pick<EventTarget, "addEventListener">>;
    here.addEventListener?.("pagehide", () => this.say({ type: "save" }), { signal: ended });
  }

  pause(): void {
    this.tell({ type: "pause" });
  }

  resume(): void {
    this.tell({ type: "resume" });
  }

  setPower(power: number): void {
    this.tell({ type: "power", power: checkedPower(power) });
  }

  wake(): void {
    this.tell({ type: "wake" });
  }

  stop(): Promise<string> {
    this.tell({ type: "stop" });
    return this.finished;
  }

  /** Another may have begun since this one ended, and is not this one's business. */
  private tell(message: PageMessage): void {
    if (!this.ended.signal.aborted) this.say(message);
  }

  hear(event: RunEvent): void {
    if (event.type === "error" && event.fatal) this.failure = thrownAs(event.code, event.message);
    if (event.type !== "stopped") return;
    this.ended.abort();
    if (this.failure) this.settle.reject(this.failure);
    else this.settle.resolve(event.reason);
  }
}

/** One array for each input, of whatever a program without types may give. */
function eachInput(x: unknown): ArrayLike<number>[] {
  const given = (x ?? []) as ArrayLike<unknown>;
  const each = given.length === 0 || (typeof given[0] === "object" && given[0] !== null);
  return (each ? Array.from(given) : [given]) as ArrayLike<number>[];
}
