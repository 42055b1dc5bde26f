/** What a tab remembers over its reloads. */

import { emptyTally, forgetting, type Tally } from "./tally";

/** Kept over reloads of this tab, so that a reload goes on where it was. */
export interface Memory {
  running: boolean;
  tally: Tally;
  /** The model's accuracy when the visitor came; null: there was none yet. */
  came: number | null;
}

/** What was kept; as new where storage is forbidden or holds nonsense. */
export function recalled(key: string): Memory {
  const fresh: Memory = { running: false, tally: emptyTally, came: null };
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}") as Partial<Memory>;
    return sane(kept) ? { ...fresh, ...kept, tally: forgetting({ ...emptyTally, ...kept.tally }) } : fresh;
  } catch {
    return fresh;
  }
}

function sane({ running, tally, came }: Partial<Memory>): boolean {
  const known = came === null || came === undefined || (came >= 0 && came <= 1);
  return typeof running === "boolean" && known && Object.values({ ...tally }).every((value) => Number.isFinite(value));
}
