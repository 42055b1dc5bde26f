/** What the volunteer page is doing, and its one button. */

import { element, write } from "./dom";

/** Held: paused by the terms on which the machine is lent, until they allow it again. */
export type Mode = "idle" | "running" | "held" | "paused" | "over";

/** Shows it, and what the button does now. `finished`: the run, so that nothing can be begun again. */
export function showMode(mode: Mode, status: string, finished: boolean): void {
  document.body.dataset["mode"] = mode;
  const button = element("toggle") as HTMLButtonElement;
  const over = finished ? "Finished" : "Start again";
  button.textContent = { idle: "Start", running: "Pause", held: "Pause", paused: "Continue", over }[mode];
  button.disabled = mode === "over" && finished;
  write("status", status);
}
