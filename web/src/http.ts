/** The only module that calls fetch: the API, and blobs by presigned URL. */

import { backoff, type Clock } from "./clock";
import { Corrupt, Refused, Stale, Unavailable } from "./errors";
import type {
  Announcement,
  Blob as BlobReference,
  ErrorBody,
  Evaluation,
  EvaluationReport,
  History,
  Membership,
  Run,
  Task,
  Ticket,
  Traffic,
  Update,
  Upload,
} from "./protocol";

/** The server, as a client sees it. All calls throw Refused, Unavailable, or the signal's reason. */
export interface Api {
  listRuns(signal?: AbortSignal): Promise<{ runs: Run[] }>;
  getRun(run: string, signal?: AbortSignal): Promise<Run>;
  getHistory(run: string, after: number, signal?: AbortSignal): Promise<History>;
  join(run: string, signal?: AbortSignal): Promise<Membership>;
  nextTask(run: string, token: string, signal?: AbortSignal): Promise<Task>;
  announce(run: string, token: string, announcement: Announcement, signal?: AbortSignal): Promise<Ticket>;
  getUpdate(run: string, token: string, update: string, signal?: AbortSignal): Promise<Update>;
  report(run: string, token: string, report: EvaluationReport, signal?: AbortSignal): Promise<Evaluation>;
  /** Size and SHA-256 are checked. @throws Stale, Corrupt */
  download(blob: BlobReference, signal?: AbortSignal): Promise<ArrayBuffer>;
  /** @throws Stale when storage refuses the ticket. */
  upload(upload: Upload, body: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void>;
  /** Bytes of bodies so far. */
  readonly traffic: Readonly<Traffic>;
}

export interface HttpOptions {
  base: string;
  clock: Clock;
  fetch?: typeof fetch;
  /** Tries per call. */
  attempts?: number;
  /** For one try of a JSON call; blobs get longer by their size. */
  timeoutMs?: number;
}

const SLOWEST_BYTES_PER_MS = 20;

/** This one try failed; the next may not. */
class Retry extends Error {
  constructor(
    readonly outcome: Error,
    readonly afterMs: number | null = null,
  ) {
    super(outcome.message);
  }
}

/** The API at `base`, with retries, time-outs and counted bytes. */
export function createApi(options: HttpOptions): Api {
  const traffic: Traffic = { up: 0, down: 0 };
  const send = options.fetch ?? globalThis.fetch.bind(globalThis);
  const timeoutMs = options.timeoutMs ?? 20_000;
  const base = options.base.replace(/\/+$/, "");

  /** One call: tries, pauses, tries again. `read` takes the answer; it may throw Retry. */
  const call = async <T>(
    url: string,
    init: RequestInit,
    limitMs: number,
    read: (response: Response) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> => {
    const once = async () => {
      const limit = AbortSignal.timeout(Math.ceil(limitMs));
      const signals = signal ? AbortSignal.any([signal, limit]) : limit;
      return read(await send(url, { ...init, signal: signals }));
    };
    return retrying(once, options, signal);
  };

  const json = <T>(method: "GET" | "POST", path: string, token: string | null, body: unknown, signal?: AbortSignal) => {
    const headers: Record<string, string> = {};
    if (token !== null) headers["authorization"] = `Bearer ${token}`;
    const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit" };
    if (method === "POST") {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(body);
      traffic.up += init.body.length;
    }
    const read = async (response: Response): Promise<T> => {
      const text = await response.text();
      traffic.down += text.length;
      if (!response.ok) throw refusal(response, text);
      return parsed(text) as T;
    };
    return call(`${base}${path}`, init, timeoutMs, read, signal);
  };

  const runPath = (run: string, rest = "") => `/runs/${encodeURIComponent(run)}${rest}`;

  return {
    traffic,
    listRuns: (signal) => json("GET", "/runs", null, null, signal),
    getRun: (run, signal) => json("GET", runPath(run), null, null, signal),
    getHistory: (run, after, signal) => json("GET", runPath(run, `/history?after=${after}`), null, null, signal),
    join: (run, signal) => json("POST", runPath(run, "/clients"), null, {}, signal),
    nextTask: (run, token, signal) => json("POST", runPath(run, "/tasks"), token, {}, signal),
    announce: (run, token, body, signal) => json("POST", runPath(run, "/updates"), token, body, signal),
    getUpdate: (run, token, update, signal) => json("GET", runPath(run, `/updates/${update}`), token, null, signal),
    report: (run, token, body, signal) => json("POST", runPath(run, "/evaluations"), token, body, signal),

    download(blob, signal) {
      const read = async (response: Response) => {
        if (!response.ok) throw storageRefusal(response, "download");
        const body = await response.arrayBuffer();
        traffic.down += body.byteLength;
        const fault = await faultIn(body, blob);
        if (fault) throw new Retry(new Corrupt(fault));
        return body;
      };
      const limit = timeoutMs + blob.bytes / SLOWEST_BYTES_PER_MS;
      // Not kept by the HTTP cache: what is worth keeping is kept by hash.
      return call(blob.url, { cache: "no-store", credentials: "omit" }, limit, read, signal);
    },

    upload({ url, fields }, body, signal) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.append(name, value);
      form.append("file", new Blob([body]));
      const read = async (response: Response) => {
        await response.arrayBuffer();
        if (!response.ok) throw storageRefusal(response, "upload");
        traffic.up += body.byteLength;
      };
      const limit = timeoutMs + body.byteLength / SLOWEST_BYTES_PER_MS;
      return call(url, { method: "POST", body: form, credentials: "omit" }, limit, read, signal);
    },
  };
}

async function retrying<T>(once: () => Promise<T>, options: HttpOptions, signal?: AbortSignal): Promise<T> {
  const { clock, attempts = 4 } = options;
  for (let attempt = 0; ; attempt++) {
    try {
      return await once();
    } catch (error) {
      signal?.throwIfAborted();
      const retry = worthRetrying(error);
      if (attempt + 1 >= attempts) throw retry.outcome;
      await clock.sleep(retry.afterMs ?? backoff(attempt, () => clock.random()), signal);
    }
  }
}

function worthRetrying(error: unknown): Retry {
  if (error instanceof Retry) return error;
  // fetch says TypeError for whatever goes wrong on the network, and a time-out is a DOMException.
  const network = error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError");
  if (!network) throw error;
  return new Retry(new Unavailable(`no answer: ${error.message}`));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Retry(new Unavailable("the answer is not JSON"));
  }
}

function refusal(response: Response, text: string): Error {
  const body = errorIn(text);
  const ours = body?.code === "corrupt" || body?.code === "internal";
  if ((response.status === 429 || response.status >= 500) && !ours) return later(response);
  if (!body) return new Refused(response.status, response.status === 401 ? "unauthorized" : "invalid", text.slice(0, 200));
  return new Refused(response.status, body.code, body.message, body.details);
}

function errorIn(text: string): ErrorBody["error"] | null {
  try {
    const { error } = JSON.parse(text) as Partial<ErrorBody>;
    return typeof error?.code === "string" ? error : null;
  } catch {
    return null;
  }
}

function storageRefusal(response: Response, verb: string): Error {
  if (response.status === 429 || response.status >= 500) return later(response);
  return new Stale(response.status, `storage refused the ${verb} with ${response.status}`);
}

function later(response: Response): Retry {
  const seconds = Number.parseFloat(response.headers.get("retry-after") ?? "");
  const afterMs = Number.isFinite(seconds) ? Math.min(60, Math.max(0, seconds)) * 1000 : null;
  return new Retry(new Unavailable(`the server answered ${response.status}`), afterMs);
}

async function faultIn(body: ArrayBuffer, blob: BlobReference): Promise<string | null> {
  if (body.byteLength !== blob.bytes) return `${body.byteLength} bytes arrived where ${blob.bytes} were due`;
  return (await sha256(body)) === blob.sha256 ? null : "the bytes that arrived do not have the hash they should";
}

/** SHA-256, lower-case hexadecimal. */
export async function sha256(body: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A JSON document beside the page. */
export async function readJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { cache: "no-cache" });
  if (!response.ok) throw new Unavailable(`${url} answered ${response.status}`);
  return (await response.json()) as T;
}
