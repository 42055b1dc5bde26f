/** The server as a client sees it: `docs/openapi.yaml`, and blobs by presigned URL. */

import { Corrupt, Refused, Stale, Unavailable } from "./errors";
import { Http, isLater, later, Retry, type HttpOptions } from "./http";
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
import { sha256 } from "./sha256";

/** All calls throw Refused, Unavailable, or the signal's reason. */
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

/** The API at `base`. */
export function createApi({ base, ...options }: HttpOptions & { base: string }): Api {
  const http = new Http(options);
  const at = (run: string, rest = "") => `${base.replace(/\/+$/, "")}/runs/${encodeURIComponent(run)}${rest}`;
  const get = <T>(url: string, token: string | null, signal?: AbortSignal) =>
    json<T>(http, url, { method: "GET", headers: authorization(token) }, signal);
  const post = <T>(url: string, token: string | null, body: unknown, signal?: AbortSignal) => {
    const headers = { ...authorization(token), "content-type": "application/json" };
    return json<T>(http, url, { method: "POST", headers, body: JSON.stringify(body) }, signal);
  };
  return {
    traffic: http.traffic,
    listRuns: (signal) => get(`${base.replace(/\/+$/, "")}/runs`, null, signal),
    getRun: (run, signal) => get(at(run), null, signal),
    getHistory: (run, after, signal) => get(at(run, `/history?after=${after}`), null, signal),
    join: (run, signal) => post(at(run, "/clients"), null, {}, signal),
    nextTask: (run, token, signal) => post(at(run, "/tasks"), token, {}, signal),
    announce: (run, token, announcement, signal) => post(at(run, "/updates"), token, announcement, signal),
    getUpdate: (run, token, update, signal) => get(at(run, `/updates/${update}`), token, signal),
    report: (run, token, report, signal) => post(at(run, "/evaluations"), token, report, signal),
    download: (blob, signal) => download(http, blob, signal),
    upload: (ticket, body, signal) => upload(http, ticket, body, signal),
  };
}

function authorization(token: string | null): Record<string, string> {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

function json<T>(http: Http, url: string, init: RequestInit & { body?: string }, signal?: AbortSignal): Promise<T> {
  const bytes = init.body?.length ?? 0;
  const read = async (response: Response): Promise<T> => {
    const text = await response.text();
    http.traffic.up += bytes;
    http.traffic.down += text.length;
    if (!response.ok) throw refusal(response, text);
    return parsed(text) as T;
  };
  return http.call({ url, init, bytes, read }, signal);
}

function download(http: Http, blob: BlobReference, signal?: AbortSignal): Promise<ArrayBuffer> {
  const read = async (response: Response) => {
    if (!response.ok) throw storageRefusal(response, "download");
    const body = await response.arrayBuffer();
    http.traffic.down += body.byteLength;
    const fault = await faultIn(body, blob);
    if (fault) throw new Retry(new Corrupt(fault));
    return body;
  };
  return http.call({ url: blob.url, init: {}, bytes: blob.bytes, read }, signal);
}

function upload(http: Http, { url, fields }: Upload, body: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  // Storage ignores whatever follows the file.
  form.append("file", new Blob([body]));
  const read = async (response: Response) => {
    await response.arrayBuffer();
    if (!response.ok) throw storageRefusal(response, "upload");
    http.traffic.up += body.byteLength;
  };
  return http.call({ url, init: { method: "POST", body: form }, bytes: body.byteLength, read }, signal);
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
  // These two are the server's own verdict that trying again is in vain.
  const verdict = body?.code === "corrupt" || body?.code === "internal";
  if (isLater(response) && !verdict) return later(response);
  if (body) return new Refused(response.status, body.code, body.message, body.details);
  return new Refused(response.status, response.status === 401 ? "unauthorized" : "invalid", text.slice(0, 200));
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
  if (isLater(response)) return later(response);
  return new Stale(response.status, `storage refused the ${verb} with ${response.status}`);
}

async function faultIn(body: ArrayBuffer, blob: BlobReference): Promise<string | null> {
  if (body.byteLength !== blob.bytes) return `${body.byteLength} bytes arrived where ${blob.bytes} were due`;
  return (await sha256(body)) === blob.sha256 ? null : "the bytes that arrived do not have the hash they should";
}
