/** What the machine is doing, as its client tells it. */

import type { RunEvent } from "../index";
import { element, write } from "./dom";
import { count } from "./format";
import { createLossCurve } from "./loss_curve";

/** Takes what is told, and shows it. */
export function createMachine(): (event: RunEvent) => void {
  const losses = createLossCurve(element("loss-chart"));
  return (event) => {
    if (event.type === "task") write("version", count(event.version));
    if (event.type === "backend") write("backend", event.name);
    if (event.type !== "step") return;
    losses.add(event.step, event.loss);
    write("computing", `${count(event.imagesPerSecond)}/s while computing`);
  };
}
