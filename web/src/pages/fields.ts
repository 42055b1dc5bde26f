/** Numbers to type: a field for each where there are few, and a line to paste a row into. */

import { make } from "./dom";
import type { Row } from "./kinds";
import { rowOf, words } from "./rows";

import "./fields.css";

export interface Fields {
  /** Null until all are there and right. */
  values(): Float32Array | null;
  clear(): void;
}

const MOST_FIELDS = 16;
let made = 0;

/** Fields in `host`; `onChange` is called after one has changed. */
export function createFields(host: HTMLElement, row: Row, onChange: () => void): Fields {
  return new NumberFields(host, row, onChange);
}

class NumberFields implements Fields {
  private readonly line: HTMLTextAreaElement;
  private readonly told: HTMLElement;
  private readonly single: HTMLInputElement[];
  private found: Float32Array | null = null;

  constructor(
    host: HTMLElement,
    private readonly row: Row,
    private readonly onChange: () => void,
  ) {
    const { name, size } = row;
    this.line = make("textarea", { rows: size > 60 ? 5 : 2, spellcheck: false });
    this.line.addEventListener("input", () => this.read(false));
    this.told = make("p", { className: "note" });
    this.told.setAttribute("role", "status");
    this.told.id = `fields-${made++}`;
    const label = size === 1 ? name : `${name}: ${size} numbers, with commas or spaces between them`;
    const line = make("label", { className: "field" }, [make("span", { textContent: label }), this.line]);
    this.single = size > 1 && size <= MOST_FIELDS ? Array.from({ length: size }, (_, i) => this.one(i)) : [];
    const grid = make("div", { className: "number-grid" }, this.single.map((input, i) => labelled(`${name} ${i + 1}`, input)));
    const or = make("p", { className: "or note", textContent: "or" });
    host.append(...(this.single.length > 0 ? [grid, or] : []), line, this.told);
  }

  values(): Float32Array | null {
    return this.found;
  }

  clear(): void {
    this.line.value = "";
    this.read(false);
  }

  /** Marks the fields that hold no number; gives the first of them, or -1. */
  private mark(): number {
    const wrong = this.single.map(({ value }) => value.trim() !== "" && "wrong" in rowOf([value.trim()], 1, this.row.whole));
    this.single.forEach((input, i) => {
      input.setAttribute("aria-invalid", String(wrong[i]));
      if (wrong[i]) input.setAttribute("aria-describedby", this.told.id);
      else input.removeAttribute("aria-describedby");
    });
    return wrong.indexOf(true);
  }

  private one(i: number): HTMLInputElement {
    const input = make("input", { type: "text", inputMode: "decimal", autocomplete: "off", spellcheck: false });
    input.addEventListener("input", () => {
      this.line.value = this.single.map(({ value }) => value.trim()).join(" ").trim();
      this.read(true);
    });
    // A whole row may be pasted into any of them.
    input.addEventListener("paste", (event) => {
      const pasted = event.clipboardData?.getData("text") ?? "";
      if (words(pasted).length <= 1) return;
      event.preventDefault();
      this.line.value = pasted.trim();
      this.read(false);
      this.single[Math.min(i, this.single.length - 1)]!.focus();
    });
    return input;
  }

  private read(fromFields: boolean): void {
    const { size, whole } = this.row;
    const written = this.line.value.trim().replaceAll("\n", " ");
    const found = written === "" ? [] : words(written);
    if (!fromFields) this.single.forEach((input, i) => (input.value = found[i] ?? ""));
    const parsed = rowOf(found, size, whole);
    this.found = "found" in parsed ? Float32Array.from(parsed.found) : null;
    const at = this.mark();
    const named = at < 0 ? "" : `${this.row.name} ${at + 1}: `;
    const said = "wrong" in parsed && written !== "" ? `${named}${parsed.wrong}.` : "";
    if (this.told.textContent !== said) this.told.textContent = said;
    this.onChange();
  }
}

function labelled(text: string, input: HTMLInputElement): HTMLElement {
  return make("label", { className: "field" }, [make("span", { className: "note", textContent: text }), input]);
}
