/** What became of sent updates. Nothing depends on it: no failure matters, and no work waits for an answer. */

import type { Api } from "./api";
import type { Clock } from "./clock";
import type { ClientEvent } from "./messages";
import type { Update } from "./protocol";

const SETTLING_MS = 1500;
const MOST_UNSETTLED = 500;
const ASKED_PER_WAIT = 10;
const LONGEST_LINGERING_MS = 60_000;
const LONGEST_FAREWELL_MS = 10_000;

export interface Asking {
  api: Pick<Api, "getUpdate">;
  clock: Clock;
  run: string;
  signal: AbortSignal;
  emit(event: ClientEvent): void;
}

interface Unsettled {
  id: string;
  since: number;
}

interface Round {
  most: number;
  /** Younger updates have not had time to be merged. */
  ageMs: number;
  untilMs: number;
}

export class Curiosity {
  private unsettled: Unsettled[] = [];
  private asking: Promise<void> | null = null;
  private lingering = false;

  constructor(private readonly around: Asking) {}

  /** An update was sent, and is to be asked about. */
  sent(id: string): void {
    this.unsettled = [...this.unsettled, { id, since: this.around.clock.now() }].slice(-MOST_UNSETTLED);
  }

  /** A new membership cannot ask for the updates of the old one. */
  forget(): void {
    this.unsettled = [];
  }

  /** Asks about the oldest in the background, unless it is still asking. */
  wonder(token: string, most = ASKED_PER_WAIT): void {
    this.asking ??= this.ask(token, { most, ageMs: SETTLING_MS, untilMs: Infinity })
      .catch(() => undefined)
      .finally(() => (this.asking = null));
  }

  /** Asks about all that are left, for as long as a leaving client may take. */
  async farewell(token: string): Promise<void> {
    await this.asking;
    await this.ask(token, { most: MOST_UNSETTLED, ageMs: 0, untilMs: this.around.clock.now() + LONGEST_FAREWELL_MS });
  }

  /** Goes on asking, ever less often, while `paused`, any are left and there is a token. */
  async linger(paused: () => boolean, token: () => string | null): Promise<void> {
    if (this.lingering) return;
    this.lingering = true;
    const { clock, signal } = this.around;
    for (let pauseMs = SETTLING_MS; paused() && this.unsettled.length > 0; pauseMs *= 1.5) {
      await clock.sleep(Math.min(pauseMs, LONGEST_LINGERING_MS), signal).catch(() => undefined);
      const known = token();
      // Joining anew would be taking part, which is what the pause is meant to stop.
      if (known === null) break;
      if (paused()) this.wonder(known);
      await this.asking;
    }
    this.lingering = false;
  }

  private async ask(token: string, { most, ageMs, untilMs }: Round): Promise<void> {
    const { clock } = this.around;
    const due = this.unsettled.filter(({ since }) => clock.now() - since >= ageMs).slice(0, most);
    for (const one of due) if (clock.now() > untilMs || !(await this.askAbout(one, token))) return;
  }

  /** False when the server does not answer. */
  private async askAbout(one: Unsettled, token: string): Promise<boolean> {
    const { api, run, signal, clock, emit } = this.around;
    const found = await api.getUpdate(run, token, one.id, signal).catch(() => null);
    // It may have been forgotten meanwhile.
    if (!this.unsettled.includes(one)) return true;
    this.unsettled = this.unsettled.filter((other) => other !== one);
    if (found?.state === "pending") this.unsettled.push({ id: one.id, since: clock.now() });
    else if (found) emit({ type: "settled", updateId: one.id, ...outcomeOf(found) });
    return found !== null;
  }
}

function outcomeOf({ state, reason, version, staleness }: Update) {
  return { state, reason, version, staleness };
}
