/**
 * A stand-in for the server, for developing and testing the client alone: `docs/openapi.yaml` over Node's http, state in
 * memory, storage on the same port. It merges what arrives and can be told to fail. The real one is tested elsewhere.
 */

import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Announcement, Commit, Evaluation, Spec, Task, Training } from "../src/protocol";

export interface World {
  spec: Spec;
  training: Training;
  weights: ArrayBuffer;
  train: { body: ArrayBuffer; examples: number }[];
  validation: { body: ArrayBuffer; examples: number }[];
  evaluateEvery: number;
  /** The run is over at this version. */
  versions: number;
  /** May clients bring data of their own? If they must, tasks have no shard. Default: never. */
  own?: "may" | "must";
}

type Answer = { status: number; body: unknown; headers?: Record<string, string> };
/** Looks at a request before it is served; an answer from here is final. `drop` cuts the connection. */
export type Fault = (method: string, path: string) => Answer | "drop" | null;

interface Pending {
  announcement: Announcement;
  client: string;
  state: "pending" | "merged";
  version: number | null;
  staleness: number | null;
}

const sha = (body: ArrayBuffer | Buffer) => createHash("sha256").update(Buffer.from(body as ArrayBuffer)).digest("hex");
const id = () => randomBytes(16).toString("hex");

export class TestServer {
  /** Requests served, as `METHOD /path`. */
  readonly log: string[] = [];
  fault: Fault = () => null;
  /** True: the request is served, and its answer is lost. */
  afterwards: (method: string, path: string) => boolean = () => false;
  version = 0;
  evaluations: Evaluation[] = [];
  readonly commits: Commit[] = [];
  readonly updates = new Map<string, Pending>();
  private readonly blobs = new Map<string, Buffer>();
  private readonly tokens = new Map<string, string>();
  private head: Float32Array;
  private tasks = 0;
  private evaluating: { id: string; version: number } | null = null;
  private origin = "";

  private constructor(
    private readonly world: World,
    private readonly server: Server,
  ) {
    this.head = new Float32Array(world.weights.slice(0));
  }

  static async start(world: World, port = 0): Promise<TestServer> {
    const server = createServer();
    const self = new TestServer(world, server);
    server.on("request", (request, response) => void self.serve(request, response));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    self.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return self;
  }

  /** Of the newest version. */
  get weights(): Float32Array {
    return this.head;
  }

  get api(): string {
    return `${this.origin}/api`;
  }

  /** Forgets every token: clients must join again. */
  expireTokens(): void {
    this.tokens.clear();
  }

  downloadsOf(body: ArrayBuffer): number {
    return this.log.filter((line) => line === `GET /blobs/${sha(body)}`).length;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.origin);
    const line = `${request.method} ${url.pathname}`;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fault = request.method === "OPTIONS" ? null : this.fault(request.method!, url.pathname);
    if (fault === "drop") return void request.socket.destroy();
    if (request.method !== "OPTIONS") this.log.push(line);
    const answer = fault ?? this.answer(request, url, Buffer.concat(chunks));
    if (this.afterwards(request.method!, url.pathname)) return void request.socket.destroy();
    const raw = Buffer.isBuffer(answer.body);
    response.writeHead(answer.status, {
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "*",
      "content-type": raw ? "application/octet-stream" : "application/json",
      ...answer.headers,
    });
    response.end(raw ? answer.body : JSON.stringify(answer.body));
  }

  private answer(request: IncomingMessage, url: URL, body: Buffer): Answer {
    const { method } = request;
    if (method === "OPTIONS") return { status: 204, body: null };
    const [, kind, ...rest] = url.pathname.split("/");
    if (kind === "blobs") return this.blob(rest[0]!);
    if (kind === "upload") return this.upload(rest[0]!, body);
    if (rest[0] !== "runs") return refusal(404, "missing");
    if (rest.length === 1) return ok({ runs: [this.run()] });
    if (rest[1] !== "digits") return refusal(404, "missing");
    if (rest.length === 2) return ok(this.run());
    if (rest[2] === "history") return ok(this.history(Number(url.searchParams.get("after"))));
    if (rest[2] === "clients") return this.join();
    if (rest[2] === "model") return ok(this.model());
    const client = this.tokens.get(request.headers.authorization ?? "");
    if (!client) return refusal(401, "unauthorized");
    if (rest[2] === "tasks") return ok(this.task());
    if (rest[2] === "evaluations") return this.evaluated(JSON.parse(body.toString()) as Evaluation & { evaluation_id: string });
    if (rest[3]) return this.update(rest[3]);
    return this.announce(JSON.parse(body.toString()) as Announcement, client);
  }

  private blob(hash: string): Answer {
    const body = this.blobs.get(hash);
    return body ? { status: 200, body } : { status: 403, body: "expired" };
  }

  private stored(body: ArrayBuffer): { url: string; sha256: string; bytes: number } {
    const hash = sha(body);
    this.blobs.set(hash, Buffer.from(body));
    return { url: `${this.origin}/blobs/${hash}`, sha256: hash, bytes: body.byteLength };
  }

  private join(): Answer {
    const client = id();
    this.tokens.set(`Bearer ${client}`, client);
    return { status: 201, body: { client_id: client, token: client, expires_in: 3600 } };
  }

  private task(): Task {
    const { world, version } = this;
    if (version >= world.versions) return { kind: "stop", reason: "the run is finished" };
    const model = this.stored(new TextEncoder().encode(JSON.stringify(world.spec)).buffer);
    const checkpoint = this.stored(this.head.slice().buffer);
    const shards = (list: World["train"]) => list.map(({ body, examples }) => ({ ...this.stored(body), examples }));
    const common = { version, generation: 0, model, checkpoint, expires_in: 600 };
    const due = Math.floor(version / world.evaluateEvery) * world.evaluateEvery;
    if (!this.evaluating && !this.evaluations.some((one) => one.version >= due)) {
      this.evaluating = { id: id(), version };
      const { id: evaluation_id } = this.evaluating;
      const { loss } = world.training;
      return { kind: "evaluate", evaluation_id, ...common, shards: shards(world.validation), batch_size: 256, loss };
    }
    const seed = this.tasks++;
    const alone = { peer: null, validation: null };
    const shard = world.own === "must" ? null : shards(world.train)[seed % world.train.length]!;
    return { kind: "train", ...common, shard, offset: 0, seed, training: world.training, ...alone };
  }

  private model() {
    const model = this.stored(new TextEncoder().encode(JSON.stringify(this.world.spec)).buffer);
    return { version: this.version, generation: 0, model, checkpoint: this.stored(this.head.slice().buffer), expires_in: 600 };
  }

  private announce(announcement: Announcement, client: string): Answer {
    const update = id();
    this.updates.set(update, { announcement, client, state: "pending", version: null, staleness: null });
    const upload = { url: `${this.origin}/upload/${update}`, fields: { key: `updates/${update}`, policy: "p" } };
    return { status: 201, body: { update_id: update, upload, expires_in: 600 } };
  }

  private upload(update: string, form: Buffer): Answer {
    const pending = this.updates.get(update)!;
    const { bytes, sha256, base_version, local_steps, examples } = pending.announcement;
    const fileAt = form.indexOf("\r\n\r\n", form.indexOf('name="file"')) + 4;
    const body = form.subarray(fileAt, fileAt + bytes);
    if (sha(body) !== sha256) return refusal(400, "invalid");
    if (pending.state === "merged") return { status: 204, body: null };
    const delta = new Float32Array(new Uint8Array(body).buffer);
    const staleness = this.version - base_version;
    const discount = 1 / Math.sqrt(1 + staleness);
    this.head = this.head.map((value, i) => value + discount * delta[i]!);
    this.version++;
    Object.assign(pending, { state: "merged", version: this.version, staleness });
    const steps = (this.commits.at(-1)?.steps ?? 0) + local_steps;
    const at = Date.now();
    const [version, from_version] = [this.version, this.version - 1];
    const known = { generation: 0, clients: 1, checkpoint_bytes: bytes, restores: null, left_out: null, note: "" };
    this.commits.push({ ...known, version, from_version, at, steps, examples, bytes, staleness: [staleness], discounts: [discount] });
    return { status: 204, body: null };
  }

  private update(name: string): Answer {
    const found = this.updates.get(name);
    if (!found) return refusal(404, "missing");
    const { state, version, staleness, announcement } = found;
    const base_version = announcement.base_version;
    return ok({ update_id: name, state, reason: null, base_version, version, staleness, discount: 1 });
  }

  private evaluated(report: Evaluation & { evaluation_id: string }): Answer {
    if (report.evaluation_id !== this.evaluating?.id) return refusal(409, "conflict");
    const { version, loss, accuracy, examples } = report;
    const evaluation = { version, loss, accuracy, examples, at: Date.now() };
    this.evaluations = [...this.evaluations, evaluation];
    this.evaluating = null;
    return { status: 201, body: evaluation };
  }

  private headNow() {
    return { version: this.version, steps: this.commits.at(-1)?.steps ?? 0, generation: 0, sha256: sha(this.head.slice().buffer) };
  }

  private run() {
    const { world } = this;
    const count = (list: World["train"]) => list.reduce((sum, shard) => sum + shard.examples, 0);
    return {
      run: "digits",
      title: "Handwritten digits",
      description: "A small net that reads handwritten digits, trained together by everyone who has this page open.",
      created_at: 0,
      status: this.version >= world.versions ? "finished" : "running",
      head: this.headNow(),
      metrics: this.evaluations.at(-1) ?? null,
      clients: this.tokens.size,
      training: world.training,
      merge: { where: "server", rule: "delta" },
      end: { accuracy: 0.95, versions: world.versions },
      data: {
        train_examples: count(world.train),
        validation_examples: count(world.validation),
        ...world.spec.data,
        labels: null,
        own: world.own ?? "never",
      },
    };
  }

  private history(after: number) {
    const { run, status, head, clients } = this.run();
    const page = this.commits.filter((commit) => commit.version > after).slice(0, 200);
    const last = page.at(-1)?.version ?? after;
    const more = this.version > last;
    const evaluations = this.evaluations.filter(({ version }) => version > after && (!more || version <= last));
    return { run, status, head, clients, commits: page, evaluations, next_after: more ? last : null };
  }
}

function ok(body: unknown): Answer {
  return { status: 200, body };
}

/** An answer in the one error shape. */
export function refusal(status: number, code: string): Answer {
  return { status, body: { error: { code, message: `${code}, says the test server`, details: {} } } };
}
