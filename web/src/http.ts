/** The only module that calls fetch: tries, pauses, tries again, within limits of time, and counts bytes. */

import { backoff, LONGEST_TIMER_MS, type Clock } from "./clock";
import { Unavailable } from "./errors";
import type { Traffic } from "./messages";

export interface Limits {
  /** Tries per call. */
  attempts?: number;
  /** For one try of a call with small bodies; big ones get longer by their size. */
  timeoutMs?: number;
}

export interface HttpOptions extends Limits {
  clock: Clock;
  fetch?: typeof fetch;
}

export interface Call<T> {
  url: string;
  init: RequestInit;
  /** Bytes that the call moves, as far as known beforehand. */
  bytes: number;
  /** Instead of what is usual, for a call of which little depends. */
  limits?: Limits;
  /** Makes the result of an answer; throws Retry where another try may do better. */
  read(response: Response): Promise<T>;
}

/** This one try failed; the next may not. When tries run out, `outcome` is thrown. */
export class Retry extends Error {
  override readonly name = "Retry";
  constructor(
    readonly outcome: Error,
    readonly afterMs: number | null = null,
  ) {
    super(outcome.message);
  }
}

const ATTEMPTS = 4;
const TIMEOUT_MS = 20_000;
const SLOWEST_BYTES_PER_MS = 20;
const LONGEST_RETRY_AFTER_S = 60;

export class Http {
  /** Bytes of bodies so far. */
  readonly traffic: Traffic = { up: 0, down: 0 };

  constructor(private readonly options: HttpOptions) {}

  /** @throws Unavailable when nothing answers; the signal's reason; whatever `read` throws. */
  async call<T>(call: Call<T>, signal?: AbortSignal): Promise<T> {
    const { clock } = this.options;
    const { attempts = ATTEMPTS } = { ...this.options, ...call.limits };
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.once(call, signal);
      } catch (error) {
        signal?.throwIfAborted();
        const retry = worthRetrying(error);
        if (attempt + 1 >= attempts) throw retry.outcome;
        await clock.sleep(retry.afterMs ?? backoff(attempt, () => clock.random()), signal);
      }
    }
  }

  private async once<T>({ url, init, bytes, limits, read }: Call<T>, signal?: AbortSignal): Promise<T> {
    const { fetch = globalThis.fetch.bind(globalThis), timeoutMs = TIMEOUT_MS } = { ...this.options, ...limits };
    const limit = AbortSignal.timeout(Math.min(Math.ceil(timeoutMs + bytes / SLOWEST_BYTES_PER_MS), LONGEST_TIMER_MS));
    const signals = signal ? AbortSignal.any([signal, limit]) : limit;
    // An app that serves page and API at one origin knows its visitors by its own cookies; nobody else's are sent.
    return read(await fetch(url, { credentials: "same-origin", cache: "no-store", ...init, signal: signals }));
  }
}

function worthRetrying(error: unknown): Retry {
  if (error instanceof Retry) return error;
  // fetch says TypeError for whatever goes wrong on the network, and a time-out is a DOMException.
  const network = error instanceof TypeError || (error instanceof DOMException && error.name === "TimeoutError");
  if (!network) throw error;
  return new Retry(new Unavailable("the server does not answer, or there is no network"));
}

/** "Later": 429 and 5xx, from whomever. */
export function isLater({ status }: Response): boolean {
  return status === 429 || status >= 500;
}

/** Another try, when the server says it may be worth it. */
export function later(response: Response): Retry {
  const seconds = Number.parseFloat(response.headers.get("retry-after") ?? "");
  const afterMs = Number.isFinite(seconds) ? Math.min(LONGEST_RETRY_AFTER_S, Math.max(0, seconds)) * 1000 : null;
  return new Retry(new Unavailable(`the server answered ${response.status}`), afterMs);
}

const ABSENT = new Set([403, 404, 410]);

/** A public JSON document, and its tag. */
export interface Document {
  body: unknown;
  tag: string | null;
}

/** A public JSON document; or that it is not there, or the one with this tag still. @throws Unavailable */
export function readChanged(
  http: Http,
  url: string,
  tag: string | null,
  signal?: AbortSignal,
): Promise<Document | "absent" | "same"> {
  const read = async (response: Response) => {
    if (response.status === 304) return "same";
    if (ABSENT.has(response.status)) return "absent";
    if (!response.ok) throw later(response);
    // Where nothing is, some servers show a page.
    const body: unknown = await response.json().catch((error: unknown) => {
      if (error instanceof SyntaxError) return undefined;
      throw error;
    });
    return body === undefined ? "absent" : { body, tag: response.headers.get("etag") };
  };
  return http.call({ url, init: { headers: tag === null ? {} : { "if-none-match": tag } }, bytes: 0, read }, signal);
}

/** A JSON document beside the page. @throws Unavailable */
export async function readJson(url: string): Promise<unknown> {
  const response = await fetch(url, { cache: "no-cache" }).catch(() => null);
  if (!response?.ok) throw new Unavailable(`${url} does not answer`);
  return response.json().catch(() => {
    throw new Unavailable(`${url} is no JSON: something else answers in its place`);
  });
}
