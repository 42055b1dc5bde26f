/**
 * Work on its way to the server.
 *
 * What was trained is not lost with the network: it is kept, with its ticket once there is one, until storage has it or
 * the server wants it no more. The ticket is kept because an upload whose answer was lost may have arrived: sent again
 * under the same ticket it is the same update, under a new one it would be merged twice. So where a ticket is given up,
 * the work is given up with it.
 */

import type { Api } from "./api";
import type { Clock } from "./clock";
import { Refused, Stale, Unavailable } from "./errors";
import type { ClientEvent } from "./messages";
import type { Announcement, Upload } from "./protocol";

export interface Sending {
  api: Pick<Api, "announce" | "upload">;
  clock: Clock;
  run: string;
  signal: AbortSignal;
  emit(event: ClientEvent): void;
}

export interface Work {
  announcement: Announcement;
  body: Uint8Array<ArrayBuffer>;
}

interface Stub {
  updateId: string;
  upload: Upload;
  /** By the clock. */
  expiresAt: number;
}

export class Delivery {
  private kept: (Work & { stub: Stub | null }) | null = null;

  constructor(
    private readonly around: Sending,
    private readonly onSent: (updateId: string) => void,
  ) {}

  /** Is anything left to be sent? */
  get pending(): boolean {
    return this.kept !== null;
  }

  keep(work: Work): void {
    this.kept = { ...work, stub: null };
  }

  /** Sends what is kept; after an error it may still be pending. @throws Stale when its ticket has expired */
  async deliver(token: string): Promise<void> {
    const { kept } = this;
    if (!kept) return;
    try {
      kept.stub ??= await this.announce(kept.announcement, token);
      await this.upload(kept.stub, kept.body);
    } catch (error) {
      if (!mayPass(error)) this.kept = null;
      throw error;
    }
    this.kept = null;
    this.tell(kept.stub.updateId, kept.announcement);
  }

  private async announce(announcement: Announcement, token: string): Promise<Stub> {
    const { api, run, signal, clock } = this.around;
    const { update_id: updateId, upload, expires_in } = await api.announce(run, token, announcement, signal);
    return { updateId, upload, expiresAt: clock.now() + expires_in * 1000 };
  }

  private async upload({ upload, expiresAt }: Stub, body: Uint8Array<ArrayBuffer>): Promise<void> {
    const { api, signal, clock } = this.around;
    if (clock.now() >= expiresAt) throw new Stale(403, "the update could not be sent while its ticket was good");
    await api.upload(upload, body, signal);
  }

  private tell(updateId: string, { base_version: version, local_steps: steps, examples, bytes }: Announcement): void {
    this.onSent(updateId);
    this.around.emit({ type: "uploaded", updateId, version, steps, examples, bytes });
  }
}

/** A network may come back and a token can be renewed; after anything else sending again would be in vain. */
function mayPass(error: unknown): boolean {
  return error instanceof Unavailable || (error instanceof Refused && error.code === "unauthorized");
}
