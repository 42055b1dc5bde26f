/** What a model says of an example, for people. */

import { make } from "./dom";
import { figure } from "./format";
import { labelOf, type Target } from "./kinds";

export interface Output {
  name: string;
  values: ArrayLike<number>;
}

export interface Line {
  label: string;
  /** 0 to 1, where it is a share of something. */
  share: number | null;
  text: string;
  best: boolean;
}

const MOST_LINES = 12;
const LIKELIEST = 5;

/** The lines to show for an output: all classes in their order where there are few, else the likeliest first. */
export function linesOf(target: Target, values: ArrayLike<number>): Line[] {
  if (target.meaning === "numbers") return Array.from(values, (value, i) => numberLine(target, values.length, value, i));
  const shares = target.meaning === "yes" ? [1 - values[0]!, values[0]!] : Array.from(values);
  const labels = target.labels?.length === shares.length ? target.labels : null;
  const best = target.meaning === "each" ? -1 : shares.indexOf(Math.max(...shares));
  const lines = shares.map((share, i) => ({ label: nameOf(target, labels, i), share, text: percentOf(share), best: i === best || (best < 0 && share >= 0.5) }));
  if (lines.length <= MOST_LINES) return lines;
  return lines.sort((a, b) => b.share - a.share).slice(0, LIKELIEST);
}

function numberLine({ name, labels }: Target, length: number, value: number, i: number): Line {
  const label = labels?.length === length ? labels[i]! : length === 1 ? name : `${name} ${i + 1}`;
  return { label, share: null, text: signed(value), best: false };
}

function nameOf(target: Target, labels: readonly string[] | null, i: number): string {
  if (!labels && target.meaning === "yes") return i === 1 ? "yes" : "no";
  return labelOf({ labels }, i);
}

const signed = (value: number) => `${value < 0 ? "−" : ""}${figure(Math.abs(value))}`;

/** 97 %, and with a digit more near the ends: 0.3 %, 99.7 %. */
export function percentOf(share: number): string {
  const percent = 100 * share;
  return `${percent < 1 || percent > 99 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

/** One sentence, for who cannot see the bars. */
export function sentenceOf(target: Target, lines: readonly Line[]): string {
  const told = lines.filter(({ best }) => best);
  if (target.meaning === "numbers") return lines.map(({ label, text }) => `${label}: ${text}`).join(", ");
  if (told.length === 0) return "None of them.";
  return told.map(({ label, text }) => `${label}, ${text}`).join("; ");
}

/** Shows an output; a list that is there already is changed in place, so that its bars move. */
export function showLines(list: HTMLOListElement, lines: readonly Line[]): void {
  while (list.children.length > lines.length) list.lastElementChild!.remove();
  while (list.children.length < lines.length) list.append(emptyLine());
  lines.forEach(({ label, share, text, best }, i) => {
    const line = list.children[i] as HTMLElement;
    line.classList.toggle("best", best);
    line.style.setProperty("--share", String(Math.min(Math.max(share ?? 0, 0), 1)));
    line.classList.toggle("plain", share === null);
    line.children[0]!.textContent = label;
    line.children[2]!.textContent = text;
  });
}

function emptyLine(): HTMLLIElement {
  const bar = make("span", { className: "track" }, [make("span", { className: "fill" })]);
  bar.setAttribute("aria-hidden", "true");
  return make("li", {}, [make("span", { className: "label" }), bar, make("span", { className: "value" })]);
}
