/** Tells the run's owner that this client cannot train: who else would? Once, and whatever becomes of it. */

import type { Api } from "./api";
import type { ClientEvent } from "./messages";
import type { FailureReport } from "./protocol";
import type { Verdict } from "./verdict";

/** What the model or this machine is to blame for; the network, storage or a run's end are not its owner's to mend. */
const TELLING = new Set(["bad_spec", "no_backend", "diverged", "trainer"]);
/** Failures in a row that are no longer chance. */
const TOO_MANY = 3;
const LONGEST = { message: 500, detail: 1000 };

export class Complaint {
  private made = false;
  private version: number | null = null;

  constructor(
    private readonly around: { api: Pick<Api, "complain">; run: string },
    private readonly signal: AbortSignal,
  ) {}

  /** To be told of tasks. */
  hear(event: ClientEvent): void {
    if (event.type === "task") this.version = event.version;
  }

  /** `failures`: in a row. */
  async about(verdict: Verdict, failures: number, token: string | null): Promise<void> {
    const worth = TELLING.has(verdict.code) && (verdict.fatal || failures >= TOO_MANY);
    if (this.made || token === null || !worth) return;
    this.made = true;
    await this.around.api.complain(this.around.run, token, this.reportOf(verdict), this.signal).catch(() => undefined);
  }

  private reportOf({ code, message, detail }: Verdict): FailureReport {
    const { version } = this;
    return {
      code,
      message: cut(message, LONGEST.message) || code,
      ...(detail ? { detail: cut(detail, LONGEST.detail) } : {}),
      ...(version === null ? {} : { version }),
    };
  }
}

/** By whole characters: half of one is no text. */
function cut(text: string, longest: number): string {
  return Array.from(text).slice(0, longest).join("");
}
