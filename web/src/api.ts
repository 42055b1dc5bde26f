/** The server as a client sees it: `docs/openapi.yaml`, and blobs by presigned URL. */

import { answers, refusalIn, type Reader } from "./answers";
import { Corrupt, Refused, Stale, Unavailable } from "./errors";
import { Http, isLater, later, Retry, type HttpOptions, type Limits } from "./http";
import type { Traffic } from "./messages";
import type {
  Announcement,
  Blob as BlobReference,
  CurrentModel,
  ErrorBody,
  Exchanged,
  FailureReport,
  EvaluationReport,
  History,
  Membership,
  Run,
  Task,
  Ticket,
  Update,
  Upload,
} from "./protocol";
import { sha256 } from "./sha256";

/** All calls throw Refused, Unavailable (NotUnderstood, too), or the signal's reason. What they give has been checked. */
export interface Api {
  listRuns(signal?: AbortSignal): Promise<{ runs: Run[] }>;
  getRun(run: string, signal?: AbortSignal): Promise<Run>;
  getHistory(run: string, after: number, signal?: AbortSignal): Promise<History>;
  /** The model with its newest weights. */
  getModel(run: string, signal?: AbortSignal): Promise<CurrentModel>;
  join(run: string, signal?: AbortSignal): Promise<Membership>;
  nextTask(run: string, token: string, signal?: AbortSignal): Promise<Task>;
  announce(run: string, token: string, announcement: Announcement, signal?: AbortSignal): Promise<Ticket>;
  /** One short try: nothing depends on the answer. */
  getUpdate(run: string, token: string, update: string, signal?: AbortSignal): Promise<Update>;
  /** Leaves an uploaded update for other clients, and gives another client's. */
  exchange(run: string, token: string, update: string, signal?: AbortSignal): Promise<Exchanged>;
  /** What is recorded is what was reported: the answer says nothing new, and is not looked at. */
  report(run: string, token: string, report: EvaluationReport, signal?: AbortSignal): Promise<unknown>;
  /** One short try: nothing depends on it. */
  complain(run: string, token: string, report: FailureReport, signal?: AbortSignal): Promise<unknown>;
  /** Size and SHA-256 are checked. @throws Stale, Corrupt */
  download(blob: BlobReference, signal?: AbortSignal): Promise<ArrayBuffer>;
  /** @throws Stale when storage refuses the ticket. */
  upload(upload: Upload, body: Uint8Array<ArrayBuffer>, signal?: AbortSignal): Promise<void>;
  /** Bytes of bodies so far. */
  readonly traffic: Readonly<Traffic>;
}

/** One short try. */
const CURIOSITY: Limits = { attempts: 1, timeoutMs: 5000 };

/** The API at `base`. */
export function createApi({ base, ...options }: HttpOptions & { base: string }): Api {
  const http = new Http(options);
  const root = `${base.replace(/\/+$/, "")}/runs`;
  const at = (run: string, rest = "") => `${root}/${encodeURIComponent(run)}${rest}`;
  const get = <T>(url: string, answer: Reader<T>, signal?: AbortSignal) => json(http, { url, token: null, answer }, signal);
  const post = <T>(url: string, token: string | null, body: unknown, answer: Reader<T>, signal?: AbortSignal) =>
    json(http, { url, token, body, answer }, signal);
  return {
    traffic: http.traffic,
    listRuns: (signal) => get(root, answers.runs, signal),
    getRun: (run, signal) => get(at(run), answers.run, signal),
    getHistory: (run, after, signal) => get(at(run, `/history?after=${after}`), answers.history, signal),
    getModel: (run, signal) => get(at(run, "/model"), answers.model, signal),
    join: (run, signal) => post(at(run, "/clients"), null, {}, answers.membership, signal),
    nextTask: (run, token, signal) => post(at(run, "/tasks"), token, {}, answers.task, signal),
    announce: (run, token, announcement, signal) => post(at(run, "/updates"), token, announcement, answers.ticket, signal),
    getUpdate: (run, token, update, signal) =>
      json(http, { url: at(run, `/updates/${update}`), token, answer: answers.update, limits: CURIOSITY }, signal),
    exchange: (run, token, update_id, signal) => post(at(run, "/exchange"), token, { update_id }, answers.exchanged, signal),
    report: (run, token, report, signal) => post(at(run, "/evaluations"), token, report, (answer) => answer, signal),
    complain: (run, token, report, signal) =>
      json(http, { url: at(run, "/failures"), token, body: report, answer: (answer) => answer, limits: CURIOSITY }, signal),
    download: (blob, signal) => download(http, blob, signal),
    upload: (ticket, body, signal) => upload(http, ticket, body, signal),
  };
}

/** With a body it is a POST, else a GET. */
interface Question<T> {
  url: string;
  token: string | null;
  body?: unknown;
  answer: Reader<T>;
  limits?: Limits;
}

function initOf({ token, body }: Pick<Question<unknown>, "token" | "body">): RequestInit & { body?: string } {
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  if (body === undefined) return { method: "GET", headers };
  return { method: "POST", headers: { ...headers, "content-type": "application/json" }, body: JSON.stringify(body) };
}

function json<T>(http: Http, { url, answer, limits = {}, ...question }: Question<T>, signal?: AbortSignal): Promise<T> {
  const init = initOf(question);
  const bytes = init.body?.length ?? 0;
  const read = async (response: Response): Promise<T> => {
    const text = await response.text();
    http.traffic.up += bytes;
    http.traffic.down += text.length;
    if (!response.ok) throw refusal(response, text);
    return answer(parsed(text));
  };
  return http.call({ url, init, bytes, limits, read }, signal);
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
    throw new Retry(new Unavailable("something between this page and the server answered in its place"));
  }
}

function refusal(response: Response, text: string): Error {
  const body = errorIn(text);
  // These two are the server's own verdict that trying again is in vain.
  const verdict = body?.code === "corrupt" || body?.code === "internal";
  if (isLater(response) && !verdict) return later(response);
  if (body) return new Refused(response.status, body.code, body.message, body.details);
  // A proxy, a firewall, the page that a hotel's network shows first: none of them speaks for the server.
  return new Unavailable(`something between this page and the server answered ${response.status}`);
}

function errorIn(text: string): ErrorBody["error"] | null {
  try {
    return refusalIn(JSON.parse(text));
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
