/** What an example is an example of: chosen on the page, or written in a table. */

import { make } from "./dom";
import { labelOf, type Target } from "./kinds";
import { numberIn, rowOf, shown, type Parsed } from "./rows";

export interface Chosen {
  /** As the model is trained towards them. */
  values: number[];
  /** What people call it. */
  words: string;
}

export interface Chooser {
  /** Null until something is chosen. */
  chosen(): Chosen | null;
}

/** More classes than this are a list to choose from. */
const MOST_BUTTONS = 12;

/** How many columns of a table it takes: a class is written as one word. */
export function columnsOf({ meaning, size }: Target): number {
  return meaning === "classes" || meaning === "yes" ? 1 : size;
}

/** Names of the classes; null where they are not known to this page. */
export function classesOf({ meaning, size, index, labels }: Target): string[] | null {
  if (labels) return [...labels];
  if (meaning === "yes") return ["no", "yes"];
  return index ? null : Array.from({ length: size }, (_, i) => String(i));
}

/** The columns of a table, as an example's target. */
export function targetIn(target: Target, words: readonly string[]): Parsed<Chosen> {
  if (target.meaning !== "classes" && target.meaning !== "yes") {
    const row = rowOf(words, target.size, false);
    return "found" in row ? { found: { values: row.found, words: words.join(", ") } } : row;
  }
  const [word = ""] = words;
  const names = classesOf(target);
  const named = names?.indexOf(word) ?? -1;
  const at = named >= 0 ? named : numberIn(word);
  const known = at !== null && Number.isInteger(at) && at >= 0 && at < (names?.length ?? Infinity);
  return known ? { found: classAt(target, at) } : { wrong: `“${shown(word)}” is no class of ${target.name}${names ? `: they are ${names.slice(0, 12).join(", ")}` : ""}` };
}

function classAt(target: Target, at: number): Chosen {
  const words = classesOf(target)?.[at] ?? labelOf(target, at);
  if (target.index || target.meaning === "yes") return { values: [at], words };
  return { values: Array.from({ length: target.size }, (_, i) => (i === at ? 1 : 0)), words };
}

/** Lets people choose, in `host`. */
export function createChooser(host: HTMLElement, target: Target): Chooser {
  const names = classesOf(target);
  if (target.meaning === "numbers" || names === null) return typedIn(host, target);
  if (target.meaning === "each") return ticked(host, target, names);
  return names.length > MOST_BUTTONS ? listed(host, target, names) : pressed(host, target, names);
}

function typedIn(host: HTMLElement, target: Target): Chooser {
  const input = make("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
  const label = target.meaning === "classes" ? `${target.name}: number of the class, from 0` : `${target.name}: ${target.size === 1 ? "a number" : `${target.size} numbers`}`;
  host.append(make("label", { className: "field" }, [make("span", { className: "note", textContent: label }), input]));
  return {
    chosen: () => {
      const parsed = targetIn(target, input.value.trim().split(/[\s,;]+/));
      return "found" in parsed ? parsed.found : null;
    },
  };
}

function listed(host: HTMLElement, target: Target, names: readonly string[]): Chooser {
  const none = make("option", { value: "", textContent: "Choose…" });
  const select = make("select", {}, [none, ...names.map((textContent, i) => make("option", { value: String(i), textContent }))]);
  host.append(make("label", { className: "field" }, [make("span", { className: "note", textContent: target.name }), select]));
  return { chosen: () => (select.value === "" ? null : classAt(target, Number(select.value))) };
}

function pressed(host: HTMLElement, target: Target, names: readonly string[]): Chooser {
  const group = host.id === "" ? (host.id = `own-${target.name}`) : host.id;
  const buttons = names.map((_, i) => make("input", { type: "radio", name: group, value: String(i) }));
  const labels = buttons.map((button, i) => make("label", { className: "chip" }, [button, make("span", { textContent: names[i]! })]));
  host.append(fieldset(`This is an example of (${target.name})`, labels));
  return {
    chosen: () => {
      const at = buttons.findIndex(({ checked }) => checked);
      return at < 0 ? null : classAt(target, at);
    },
  };
}

function ticked(host: HTMLElement, target: Target, names: readonly string[]): Chooser {
  const boxes = names.map(() => make("input", { type: "checkbox" }));
  const labels = boxes.map((box, i) => make("label", { className: "chip" }, [box, make("span", { textContent: names[i]! })]));
  host.append(fieldset(`What holds of this example (${target.name})`, labels));
  return {
    chosen: () => {
      const values = boxes.map(({ checked }) => (checked ? 1 : 0));
      return { values, words: names.filter((_, i) => values[i]).join(", ") || "none" };
    },
  };
}

function fieldset(title: string, children: readonly HTMLElement[]): HTMLFieldSetElement {
  return make("fieldset", { className: "chips" }, [make("legend", { className: "note", textContent: title }), ...children]);
}
