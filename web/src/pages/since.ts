/** How the model has got on since a visitor came. */

import { percent } from "./format";

export interface Since {
  /** The model's accuracy when the visitor came, or the first that there was. */
  came: number | null;
  now: string;
  note: string;
}

/** `came`: as it was known before. `accuracy`: of the newest evaluation, if there is one. */
export function since(came: number | null, accuracy: number | null): Since {
  const first = came ?? accuracy;
  if (first === null || accuracy === null) return { came: first, now: "–", note: "not tested yet" };
  const gain = 100 * (accuracy - first);
  const points = `${gain < 0 ? "−" : "+"}${Math.abs(gain).toFixed(1)} since you came`;
  return { came: first, now: percent(accuracy), note: Math.abs(gain) < 0.05 ? "as when you came" : `${points}, at ${percent(first)}` };
}
