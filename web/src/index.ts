/** `@webnn/client`: take part in a run, and use its model, from any page. TF.js is loaded by its worker, when there is work. */

import { employ } from "./employ";
import type { JoinOptions } from "./exports";
import { joinWith } from "./joining";
import type { Run } from "./run";
import { startWorker } from "./start";

export * from "./exports";

/**
 * A handle on a run of the API at `api`. Nothing is trained before it is told to.
 *
 * @throws Refused (there is no such run), Unavailable, NotUnderstood; the signal's reason
 */
export function join(api: string, runId: string, { signal, worker = startWorker }: JoinOptions = {}): Promise<Run> {
  return joinWith((ears) => employ({ create: worker, ...ears }), api, runId, signal);
}
