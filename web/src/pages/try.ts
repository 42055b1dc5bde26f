/** The page that uses the current model: draw, drop, or type, and see what it says. */

import { follow, type Prediction, type Run, type RunDescription, type Story } from "../index";
import { comeAnew } from "./anew";
import { element, make, write } from "./dom";
import { createFields, type Fields } from "./fields";
import { count, percent } from "./format";
import { Heard } from "./heard";
import { inputOf, targetsOf, type Input, type Target } from "./kinds";
import { inAdvance, leisure } from "./leisure";
import { createPad, type Pad } from "./pad";
import { measured } from "./measured";
import { openSite, reporting, showAbsent, showFound, showSearch } from "./site";
import { linesOf, sentenceOf, showLines } from "./verdicts";

import "./style.css";
import "./try.css";

/** The library fetches new weights no more often than once in three seconds. */
const AGAIN_MS = 3500;

type Editor = Pad | Fields;

/** What is known of the run at this moment. */
interface Known extends Pick<Story, "status" | "head"> {
  measured: { version: number; accuracy: number | null } | null;
}

interface Shown {
  target: Target;
  verdict: HTMLElement;
  list: HTMLOListElement;
}

class Tryout {
  private readonly editors: Editor[];
  private readonly shown: Shown[];
  private known: Known;
  /** The version that has said what is shown. */
  private answered: number | null = null;
  /** What is on the page has changed since it was last asked about. */
  private stale = false;
  private asking = false;

  constructor(
    private readonly run: Run,
  ) {
    const { description } = run;
    const inputs = description.data.inputs.map(inputOf);
    const targets = targetsOf(description.data, description.training.loss);
    this.editors = inputs.map((input) => editorIn(host("inputs", "input", inputs.length > 1 ? input.name : null), input, () => this.change()));
    this.shown = targets.map((target) => shownIn(host("outputs", "output", targets.length > 1 ? target.name : null), target));
    this.known = { status: description.status, head: description.head, measured: description.metrics };
    write("invitation", invitationFor(inputs));
    const drawn = inputs.some(({ kind }) => kind === "picture");
    write("expectation", `Once ${drawn ? "something is drawn" : "all numbers are there"}, what the model makes of it is told here${drawn ? "; it looks again at every stroke" : ""}.`);
    this.tellVersion(null);
  }

  /** There may be newer weights: whoever has asked is answered by them. */
  look(story: Story): void {
    const { status, head, evaluations } = story;
    const newer = head.version > this.known.head.version;
    this.known = { status, head, measured: evaluations.length > 0 ? measured(story) : this.known.measured };
    if (newer && this.answered !== null) this.change();
    else this.tellVersion(this.answered);
  }

  private change(): void {
    this.stale = true;
    if (!this.asking) void this.ask();
  }

  /** One question at a time; what changed meanwhile is the next. */
  private async ask(): Promise<void> {
    this.asking = true;
    while (this.stale) {
      this.stale = false;
      const values = this.editors.map((editor) => editor.values());
      const whole = values.every((one) => one !== null);
      document.body.classList.toggle("waiting-input", !whole);
      if (whole) await this.answer(values);
      else this.forget();
    }
    this.asking = false;
  }

  private async answer(values: Float32Array[]): Promise<void> {
    try {
      if (this.answered === null) write("answer", "Asking the model…");
      const prediction = await this.run.predict(values, { version: this.known.head.version });
      write("trouble", "");
      this.show(prediction);
      // The library does not fetch weights in a hurry: a version that is newer still is asked for a little later.
      if (prediction.version < this.known.head.version) setTimeout(() => this.change(), AGAIN_MS);
    } catch (error) {
      write("trouble", `The model could not be asked: ${(error as Error).message}.`);
    }
  }

  private show({ outputs, version }: Prediction): void {
    const said = this.shown.map(({ target, verdict, list }, i) => {
      const lines = linesOf(target, outputs[i]?.values ?? []);
      showLines(list, lines);
      const sentence = sentenceOf(target, lines);
      const best = lines.find((line) => line.best);
      if (target.meaning === "classes" || target.meaning === "yes") verdict.replaceChildren(best?.label ?? "", " ", note(best?.text ?? ""));
      return this.shown.length > 1 ? `${target.name}: ${sentence}` : sentence;
    });
    write("answer", said.join(". "));
    element("expectation").hidden = true;
    this.answered = version;
    this.tellVersion(version);
  }

  /** What is asked is not there, or not whole: nothing is known of it. */
  private forget(): void {
    this.answered = null;
    for (const { verdict, list } of this.shown) {
      verdict.replaceChildren();
      showLines(list, []);
    }
    write("answer", "");
    element("expectation").hidden = false;
    this.tellVersion(null);
  }

  private tellVersion(answered: number | null): void {
    const { measured, status, head } = this.known;
    const accuracy = measured?.accuracy ?? null;
    const which = answered === null ? `The newest version is ${count(head.version)}` : `Answered by version ${count(answered)}`;
    const learnt = head.version === 0 ? ", from before anything was learnt here" : "";
    const right = measured && accuracy !== null ? ` Version ${count(measured.version)} was right on ${percent(accuracy)} of the test set.` : "";
    const end = { running: "Newer ones answer as they arrive.", paused: "The run is paused.", finished: "The run is finished: it is the last." }[status];
    write("version", `${which}${learnt}.${right} ${end}`);
  }
}

function host(list: string, className: string, title: string | null): HTMLElement {
  const made = make("div", { className }, title === null ? [] : [make("h3", { textContent: title })]);
  element(list).append(made);
  return made;
}

function editorIn(place: HTMLElement, input: Input, onChange: () => void): Editor {
  return input.kind === "picture" ? createPad(place, input, onChange) : createFields(place, input, onChange);
}

function shownIn(place: HTMLElement, target: Target): Shown {
  const verdict = make("p", { className: "verdict", ariaHidden: "true" });
  const list = make("ol", { className: "lines" });
  list.setAttribute("aria-label", target.meaning === "numbers" ? "What the model gives" : "How sure the model is of each");
  place.append(...(target.meaning === "classes" || target.meaning === "yes" ? [verdict] : []), list);
  return { target, verdict, list };
}

function note(textContent: string): HTMLElement {
  return make("span", { className: "note", textContent });
}

function invitationFor(inputs: readonly Input[]): string {
  const pictures = inputs.filter((input) => input.kind === "picture");
  if (pictures.length === 0) return "Type numbers, or paste a row of them.";
  const drawn = pictures.some(({ channels }) => channels === 1);
  // Nothing is dropped by a finger.
  const touched = matchMedia("(hover: none)").matches;
  const [hand, or] = touched ? ["a finger or a pen", "choose a picture"] : ["the mouse, a finger or a pen", "drop a picture here"];
  const how = drawn ? `Draw with ${hand}, or ${or}.` : touched ? "Choose a picture." : "Drop a picture here, or choose one.";
  return pictures.length < inputs.length ? `${how} And fill in the numbers.` : how;
}

function showRun({ run, title }: RunDescription): void {
  document.title = `Try ${title} · WebNN`;
  showFound(title, "Use the model as it is at this moment. It runs on your machine: what you draw or type here is sent nowhere.");
  const named = `?run=${encodeURIComponent(run)}`;
  (element("join") as HTMLAnchorElement).href = `index.html${named}`;
  (element("watch") as HTMLAnchorElement).href = `watch.html${named}`;
}

/** Each part in a frame of its own: all at once would hold up a slow phone. */
async function reveal(): Promise<void> {
  for (const part of document.querySelectorAll<HTMLElement>(".tryout .card, #inputs, #outputs")) {
    await new Promise(requestAnimationFrame);
    part.hidden = false;
  }
}

async function main(): Promise<void> {
  const run = await openSite(new URLSearchParams(location.search).get("run"), showSearch);
  showRun(run.description);
  await leisure();
  const tryout = new Tryout(run);
  void reveal();
  void inAdvance(() => run.prepare());
  await followed(run, tryout);
}

/** Follows the run for as long as the page is there. */
function followed(run: Run, tryout: Tryout): Promise<void> {
  const heard = new Heard(run.description.created_at);
  return follow(run, {
    onStory: (story) => {
      if (heard.isOfAnother(story)) return comeAnew();
      heard.hear(story);
      tryout.look(story);
    },
    onTrouble: (_, gone) => {
      if (!gone) return;
      heard.gone = true;
      showAbsent(run.description.run);
    },
    hidden: () => document.hidden,
  });
}

void reporting(main);
