/** Why this machine cannot take part: one plain sentence in the page's status, the reasons folded below it. */

import { element, make } from "./dom";
import { failureOf } from "./wording";

/** Shows the reasons, and gives the sentence. */
export function showFailure(failure: { code: string; message: string }): string {
  const { said, why } = failureOf(failure);
  clearFailure();
  if (why !== null) {
    const reasons = make("p", { className: "note", textContent: why });
    const summary = make("summary", { textContent: "The reasons, for who wants to know" });
    element("status").parentElement!.after(make("details", { className: "reasons" }, [summary, reasons]));
  }
  return said;
}

export function clearFailure(): void {
  document.querySelector(".reasons")?.remove();
}
