/** A visitor's own data on the volunteer page: drawn, from files, or typed; trained on here, and sent nowhere. */

import type { OwnData, RunDescription } from "../index";
import { make } from "./dom";
import { createFields, type Fields } from "./fields";
import { count } from "./format";
import { looksInverted, usualPlacing, valuesOf } from "./ink";
import { inputOf, targetsOf, type Input, type Picture, type Target } from "./kinds";
import { dataOf, grouped, MOST_EXAMPLES, type Example } from "./own_examples";
import { createStore, type Store } from "./own_store";
import { columnsOf, createChooser, targetIn, type Chooser } from "./own_targets";
import { createPad, paintValues, pictureOf, type Pad } from "./pad";
import { rowOf, tableOf, type Parsed } from "./rows";

import "./own_data.css";

export interface OwnDataPanel {
  /** Opens it where examples are added, and goes there. */
  invite(): void;
  /** What is to be trained on; null: the run's own data. */
  data(): OwnData | null;
}

const MOST_SHOWN = 40;
const WORDS =
  "What you add here stays in this browser, and is never sent. What leaves is the update: by how much the weights of the model " +
  "should change, from how many examples, and the loss and accuracy on them. An update can still give away something of the " +
  "examples behind it, the more so the fewer they are: do not train on what must not become known.";

/** The panel, in `host`; `onChange` is called when something else is to be trained on. */
export async function createOwnData(host: HTMLElement, description: RunDescription, key: string, onChange: () => void): Promise<OwnDataPanel> {
  const store = createStore(key);
  const panel = new Panel(host, description, store, await store.load(), onChange);
  const details = host as HTMLDetailsElement;
  details.addEventListener("toggle", () => panel.build());
  // Who has none and needs none is not to wade through it, nor is their machine.
  details.open = description.data.own === "must" || panel.data() !== null;
  return {
    data: () => panel.data(),
    invite: () => {
      details.open = true;
      panel.invite();
    },
  };
}

class Panel {
  private readonly inputs: Input[];
  private readonly targets: Target[];
  private readonly editors: (Pad | Fields)[] = [];
  private readonly choosers: Chooser[] = [];
  private readonly told = make("p", { className: "note" });
  private readonly form = make("div", { className: "own-adding", tabIndex: -1 });
  private readonly list = make("div", { className: "own-list" });
  private readonly use = make("input", { type: "checkbox" });
  private readonly keep = make("input", { type: "checkbox" });
  private readonly must: boolean;
  private built = false;

  constructor(
    private readonly host: HTMLElement,
    { data, training }: RunDescription,
    private readonly store: Store,
    private examples: Example[],
    private readonly onChange: () => void,
  ) {
    this.inputs = data.inputs.map(inputOf);
    this.targets = targetsOf(data, training.loss);
    this.must = data.own === "must";
    this.use.checked = this.must || examples.length > 0;
    this.keep.checked = examples.length > 0;
    this.told.setAttribute("role", "status");
    this.form.setAttribute("role", "group");
    this.form.setAttribute("aria-label", "Add an example of your own");
  }

  /** What is to be seen of it, once. */
  build(): void {
    if (this.built) return;
    this.built = true;
    this.host.append(this.words(), this.form, this.told, this.list, this.settings(), folded());
    this.fill();
    this.show();
  }

  /** Whoever is sent here, by whatever means, is told where they are. */
  invite(): void {
    this.build();
    const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : "smooth";
    this.form.scrollIntoView({ behavior, block: "start" });
    this.form.focus({ preventScroll: true });
  }

  data(): OwnData | null {
    return this.use.checked ? dataOf(this.examples) : null;
  }

  private words(): HTMLElement {
    const first = this.must ? "This run learns from what its visitors bring. Add an example or more, then press Start." : "You may train on examples of your own instead of the run's.";
    return make("p", { className: "own-words", textContent: `${first} They stay in this browser.` });
  }

  private fill(): void {
    const what = make("div", { className: "own-what" });
    for (const input of this.inputs) {
      const place = make("div", {}, this.inputs.length > 1 ? [make("h3", { textContent: input.name })] : []);
      this.editors.push(input.kind === "picture" ? createPad(place, input, () => undefined) : createFields(place, input, () => undefined));
      what.append(place);
    }
    const of = make("div", { className: "own-of" });
    for (const target of this.targets) {
      const place = make("div");
      this.choosers.push(createChooser(place, target));
      of.append(place);
    }
    const add = make("button", { type: "button", className: "small", textContent: "Add this example" });
    add.addEventListener("click", () => this.addEdited());
    of.append(add);
    const [only] = this.inputs.length === 1 ? this.inputs : [];
    if (only?.kind === "picture") (this.editors[0] as Pad).onFiles = (files) => void this.addPictures(only, files);
    if (this.inputs.every(({ kind }) => kind === "row")) of.append(this.table());
    this.form.append(what, of);
  }

  private table(): HTMLElement {
    const file = make("input", { type: "file", accept: ".csv,.tsv,.txt,text/*" });
    file.addEventListener("change", () => {
      void file.files?.[0]?.text().then((text) => this.addTable(text));
      file.value = "";
    });
    const columns = [...this.inputs.map((input) => `${(input as { size: number }).size} of ${input.name}`), ...this.targets.map((target) => `${columnsOf(target)} of ${target.name}`)];
    return make("div", {}, [
      make("label", { className: "small file", textContent: "Add a table (CSV)" }, [file]),
      make("p", { className: "note", textContent: `Columns: ${columns.join(", then ")}.` }),
    ]);
  }

  private settings(): HTMLElement {
    const using = make("label", { className: "check", hidden: this.must }, [this.use, make("span", { textContent: "Train on mine" })]);
    this.use.addEventListener("change", this.onChange);
    const keeping = make("label", { className: "check" }, [this.keep, make("span", { textContent: "Keep my examples in this browser, for when I come back" })]);
    this.keep.addEventListener("change", () => void this.remember());
    return make("div", { className: "own-settings" }, [using, keeping]);
  }

  private addEdited(): void {
    const inputs = this.editors.map((editor) => editor.values());
    const chosen = this.choosers.map((chooser) => chooser.chosen());
    if (inputs.some((one) => one === null)) return this.tell(this.inputs.some(({ kind }) => kind === "picture") ? "Draw something first." : "Fill in all numbers first.");
    if (chosen.some((one) => one === null)) return this.tell("Say first what it is an example of.");
    const words = chosen.map((one) => one!.words).join(" · ");
    this.add([{ inputs: inputs.map((one) => one!.slice()), targets: chosen.map((one) => one!.values), words }]);
    for (const editor of this.editors) editor.clear();
  }

  private async addPictures(picture: Picture, files: readonly File[]): Promise<void> {
    const chosen = this.choosers.map((chooser) => chooser.chosen());
    if (chosen.some((one) => one === null)) return this.tell("Say first what they are examples of.");
    const found: Example[] = [];
    const wrong: string[] = [];
    for (const file of files) {
      const values = await valuesIn(file, picture).catch((error: unknown) => void wrong.push((error as Error).message));
      if (values) found.push({ inputs: [values], targets: chosen.map((one) => one!.values), words: chosen.map((one) => one!.words).join(" · ") });
    }
    this.add(found, wrong.join(" "));
  }

  private addTable(text: string): void {
    const lines = tableOf(text);
    const read = lines.map(({ number, words }) => ({ number, parsed: this.exampleIn(words) }));
    const wrong = read.flatMap(({ number, parsed }) => ("wrong" in parsed ? [`Line ${number}: ${parsed.wrong}.`] : []));
    // All or nothing: who mends the file would add the right lines twice.
    if (wrong.length > 0) return this.tell(`Nothing was added. ${wrong.slice(0, 3).join(" ")}${wrong.length > 3 ? ` And ${wrong.length - 3} more lines are wrong.` : ""}`);
    this.add(read.flatMap(({ parsed }) => ("found" in parsed ? [parsed.found] : [])));
  }

  private exampleIn(words: readonly string[]): Parsed<Example> {
    const example: Example = { inputs: [], targets: [], words: "" };
    const names: string[] = [];
    const sizes = [...this.inputs.map((input) => (input as { size: number }).size), ...this.targets.map(columnsOf)];
    const total = sizes.reduce((sum, size) => sum + size, 0);
    if (words.length !== total) return { wrong: `${words.length} of ${total} columns` };
    let start = 0;
    for (const [i, size] of sizes.entries()) {
      const part = words.slice(start, (start += size));
      const target = this.targets[i - this.inputs.length];
      const parsed = target ? targetIn(target, part) : rowOf(part, size, (this.inputs[i] as { whole: boolean }).whole);
      if ("wrong" in parsed) return parsed;
      if (Array.isArray(parsed.found)) example.inputs.push(Float32Array.from(parsed.found));
      else {
        example.targets.push(parsed.found.values);
        names.push(parsed.found.words);
      }
    }
    return { found: { ...example, words: names.join(" · ") } };
  }

  private add(found: readonly Example[], wrong = ""): void {
    const room = MOST_EXAMPLES - this.examples.length;
    const added = found.slice(0, room);
    if (this.examples.length === 0 && added.length > 0) this.use.checked = true;
    this.examples = [...this.examples, ...added];
    const full = found.length > room ? ` This page takes ${count(MOST_EXAMPLES)} and no more.` : "";
    this.tell(`${added.length === 1 ? "1 example" : `${count(added.length)} examples`} added.${full} ${wrong}`.trim());
    this.changed();
  }

  private remove(gone: readonly Example[]): void {
    this.examples = this.examples.filter((example) => !gone.includes(example));
    this.tell(`${gone.length === 1 ? "1 example" : `${count(gone.length)} examples`} removed.`);
    this.changed();
  }

  private changed(): void {
    this.show();
    void this.remember();
    this.onChange();
  }

  private async remember(): Promise<void> {
    if (!this.keep.checked) return this.store.forget();
    await this.store.save(this.examples).catch(() => this.tell("This browser keeps nothing: the examples are gone when the page is."));
  }

  private tell(words: string): void {
    this.told.textContent = words;
  }

  private show(): void {
    const groups = [...grouped(this.examples)].map(([words, examples]) => this.group(words, examples));
    const total = this.examples.length === 0 ? "No examples of yours yet." : `${count(this.examples.length)} of yours:`;
    this.list.replaceChildren(make("p", { className: "own-total", textContent: total }), ...groups);
    this.use.disabled = this.examples.length === 0;
    this.use.parentElement?.classList.toggle("off", this.use.disabled);
  }

  private group(words: string, examples: readonly Example[]): HTMLElement {
    const remove = make("button", { type: "button", className: "small", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove all examples of ${words}`);
    remove.addEventListener("click", () => this.remove(examples));
    const head = make("div", { className: "own-head" }, [make("strong", { textContent: words }), make("span", { className: "note", textContent: count(examples.length) }), remove]);
    const [only] = this.inputs.length === 1 ? this.inputs : [];
    if (only?.kind !== "picture") return make("div", { className: "own-group" }, [head]);
    const thumbs = examples.slice(-MOST_SHOWN).map((example) => this.thumb(only, words, example));
    return make("div", { className: "own-group" }, [head, make("div", { className: "thumbs" }, thumbs)]);
  }

  private thumb(picture: Picture, words: string, example: Example): HTMLElement {
    const canvas = make("canvas", { width: picture.width, height: picture.height });
    paintValues(canvas, example.inputs[0]!, picture);
    const thumb = make("button", { type: "button", className: "thumb", title: "Remove this one" }, [canvas]);
    thumb.setAttribute("aria-label", `Remove this example of ${words}`);
    thumb.addEventListener("click", () => this.remove([example]));
    return thumb;
  }
}

/** What is to be known besides, for who wants to: on a phone it would be screens of words before the first field. */
function folded(): HTMLElement {
  const summary = make("summary", { textContent: "What leaves this browser, and what does not" });
  return make("details", { className: "own-more" }, [summary, make("p", { className: "own-words", textContent: WORDS })]);
}

async function valuesIn(file: File, picture: Picture): Promise<Float32Array | null> {
  const bitmap = await pictureOf(file);
  const values = valuesOf({ strokes: [], picture: bitmap, inverted: looksInverted(bitmap), placing: usualPlacing(picture) }, picture);
  bitmap.close();
  return values;
}
