/** The deliberate errors of the client, one kind per thing to do about it. */

import type { ErrorCode } from "./protocol";

/** The server refused, in its own words; `code` says what to do (see the table in `docs/openapi.yaml`). */
export class Refused extends Error {
  override readonly name = "Refused";
  constructor(
    readonly status: number,
    readonly code: ErrorCode,
    message: string,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
}

/** Nothing answered, or only with "later", for as long as one call may try. */
export class Unavailable extends Error {
  override readonly name: string = "Unavailable";
}

/** The answer has a shape, or speaks of something, that this page does not know. */
export class NotUnderstood extends Unavailable {
  override readonly name = "NotUnderstood";
  /** `what` names the member that is strange, as in `task.kind`. */
  constructor(what: string) {
    super(`the server's answer is not one that this page knows: ${what}`);
  }
}

/** Storage refused a presigned URL: expired, or the blob is gone. A new task brings a new URL. */
export class Stale extends Error {
  override readonly name = "Stale";
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** What arrived is not what was named. */
export class Corrupt extends Error {
  override readonly name = "Corrupt";
}

/** Training left the finite numbers: there is nothing to send. */
export class Diverged extends Error {
  override readonly name = "Diverged";
}

/** The run's spec contradicts itself, or asks for what this page does not know. It never changes: no retry can help. */
export class BadSpec extends Error {
  override readonly name = "BadSpec";
}

/** The run trains on data of one's own alone, and this client has none. */
export class NoData extends Error {
  override readonly name = "NoData";
  constructor() {
    super("this run learns from data that its clients bring, and none was given here");
  }
}

/** No backend of this machine can train the model in a useful time. */
export class NoBackend extends Error {
  override readonly name = "NoBackend";
}

/** Examples that do not fit the run's model. */
export class InvalidData extends Error {
  override readonly name = "InvalidData";
  constructor(
    /** The tensor at fault, where it is one. */
    readonly tensor: string | null,
    message: string,
  ) {
    super(message);
  }
}

/** The browser gives the page no worker, or the worker's program did not come or broke. */
export class NoWorker extends Error {
  override readonly name = "NoWorker";
}

/** An error of the worker's, by its code, as this side knows it. */
export function thrownAs(code: string, message: string): Error {
  switch (code) {
    case "unavailable":
      return new Unavailable(message);
    case "corrupt":
      return new Corrupt(message);
    case "diverged":
      return new Diverged(message);
    case "bad_spec":
      return new BadSpec(message);
    case "no_backend":
      return new NoBackend(message);
    case "invalid_data":
      return new InvalidData(null, message);
    case "no_data":
      return new NoData();
    case "no_worker":
      return new NoWorker(message);
    case "stale":
    case "trainer":
      return new Error(message);
    default:
      return new Refused(0, code as ErrorCode, message);
  }
}
