/** What a tab remembers over its reloads. */

import { emptyTally, forgetting, type Tally } from "./tally";

/** Kept over reloads of this tab, so that a reload goes on where it was. */
export interface Memory {
  running: boolean;
  power: number;
  tally: Tally;
}

/** What was kept; as new where storage is forbidden or holds nonsense. */
export function recalled(key: string): Memory {
  const fresh: Memory = { running: false, power: 100, tally: emptyTally };
  try {
    const kept = JSON.parse(sessionStorage.getItem(key) ?? "{}") as Partial<Memory>;
    return sane(kept) ? { ...fresh, ...kept, tally: forgetting({ ...emptyTally, ...kept.tally }) } : fresh;
  } catch {
    return fresh;
  }
}

function sane({ running, power, tally }: Partial<Memory>): boolean {
  const bearable = typeof power === "number" && power >= 1 && power <= 100;
  return typeof running === "boolean" && bearable && Object.values({ ...tally }).every((value) => Number.isFinite(value));
}
