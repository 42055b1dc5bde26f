/** The run as the volunteer page shows it. */

import type { RunDescription, Story } from "../index";
import type { Chart } from "./chart";
import { element, write } from "./dom";
import { count, figure, percent } from "./format";
import { createChartLater } from "./later_chart";
import { measured } from "./measured";
import { showFound } from "./site";

/** What it is for, in its owner's words. */
export function showRun({ run, title, description, data, training }: RunDescription): void {
  document.title = `${title} · WebNN`;
  showFound(title, description || "A neural network that learns in the browsers of people who lend their machines. Yours can be one of them.");
  (element("watch") as HTMLAnchorElement).href = `watch.html?run=${encodeURIComponent(run)}`;
  (element("try") as HTMLAnchorElement).href = `try.html?run=${encodeURIComponent(run)}`;
  const given = data.own === "must" ? "no training examples: those are visitors' own" : `${count(data.train_examples)} training examples`;
  write("data-size", `${given}, ${count(data.validation_examples)} held back for testing`);
  write("batch", `${training.local_steps} × ${training.batch_size}`);
}

/** The chart of the model's accuracy. */
export function createAccuracyChart(): Pick<Chart, "show"> {
  return createChartLater(element("accuracy-chart"), {
    lines: [
      { label: "accuracy", colour: "--accent", dots: true, fill: true },
      { label: "goal", colour: "--soft", width: 1, dash: [4, 4] },
    ],
    format: (value) => `${figure(100 * value)} %`,
    formatX: count,
    range: (min) => [Math.max(0, Math.min(min, 0.9) - 0.05), 1],
  });
}

/** The model as it stands. */
export function showStory(chart: Pick<Chart, "show">, target: number | null, story: Story): void {
  const { evaluations, head } = story;
  const [now, latest] = [measured(story)?.accuracy, evaluations.at(-1)];
  write("version", count(head.version));
  write("accuracy", typeof now === "number" ? percent(now) : "–");
  const goal = evaluations.map(() => target);
  const summary = typeof latest?.accuracy === "number" ? `Accuracy ${percent(latest.accuracy)} at version ${latest.version}` : "No evaluation yet";
  chart.show([evaluations.map(({ version }) => version), evaluations.map(({ accuracy }) => accuracy), goal], summary);
}
