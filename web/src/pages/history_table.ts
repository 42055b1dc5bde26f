/** The table of versions: newest first, a row for each move of the head. What is new is put on top; the rest stays. */

import type { Measure, Move, Story } from "../index";
import { element, make, write } from "./dom";
import { bytes, clock, count, percent } from "./format";

const FIRST_ROWS = 15;
const MORE_ROWS = 50;
/** Columns that a narrow screen has no room for. */
const WIDE = new Set([3, 4, 5, 6, 7]);

export class HistoryTable {
  private readonly body = element("history") as HTMLTableSectionElement;
  private readonly more = element("more") as HTMLButtonElement;
  private readonly only = element("only-moves") as HTMLInputElement;
  private limit = FIRST_ROWS;
  private story: Story | null = null;
  private moves: readonly Move[] = [];
  private evaluations: readonly Measure[] = [];
  /** How many of each are in the table, or passed over. */
  private shown = 0;
  private evaluated = 0;
  private readonly accuracies = new Map<number, number | null>();
  private readonly rows = new Map<number, HTMLTableRowElement>();

  constructor() {
    this.more.addEventListener("click", () => {
      this.limit += MORE_ROWS;
      this.anew();
    });
    this.only.addEventListener("change", () => {
      this.limit = FIRST_ROWS;
      this.anew();
    });
  }

  show(story: Story): void {
    this.story = story;
    if (story.moves !== this.moves || story.evaluations !== this.evaluations) this.forget(story);
    this.measure();
    this.add();
  }

  private forget({ moves, evaluations }: Story): void {
    [this.moves, this.evaluations, this.evaluated] = [moves, evaluations, 0];
    this.accuracies.clear();
    this.clear();
  }

  private clear(): void {
    this.body.replaceChildren();
    this.rows.clear();
    this.shown = 0;
  }

  private anew(): void {
    this.clear();
    if (this.story) this.add();
  }

  private measure(): void {
    for (; this.evaluated < this.evaluations.length; this.evaluated++) {
      const { version, accuracy } = this.evaluations[this.evaluated]!;
      this.accuracies.set(version, accuracy);
      const cell = [...(this.rows.get(version)?.cells ?? [])].at(-1);
      if (cell) cell.textContent = percentOf(accuracy);
    }
  }

  private add(): void {
    const fresh: Move[] = [];
    for (let i = this.moves.length - 1; i >= this.shown && fresh.length < this.limit; i--) {
      const move = this.moves[i]!;
      if (!this.only.checked || isAside(move)) fresh.push(move);
    }
    this.shown = this.moves.length;
    this.body.prepend(...fresh.map((move) => this.row(move)));
    while (this.body.rows.length > this.limit) this.drop(this.body.rows[this.limit]!);
    this.tellRest();
  }

  private row(move: Move): HTMLTableRowElement {
    const note = noteOf(move);
    const row = note === null ? rowOf(move, this.accuracies.get(move.version)) : noteRowOf(move, note, this.accuracies.get(move.version));
    row.dataset["version"] = String(move.version);
    this.rows.set(move.version, row);
    return row;
  }

  private drop(row: HTMLTableRowElement): void {
    this.rows.delete(Number(row.dataset["version"]));
    row.remove();
  }

  private tellRest(): void {
    const all = this.only.checked ? this.moves.filter(isAside).length : this.moves.length;
    this.more.hidden = this.body.rows.length >= all;
    const none = this.only.checked ? "No rollback and no unmerge so far." : "Nothing yet.";
    write("history-note", all === 0 ? none : this.more.hidden ? "" : `The newest ${count(this.body.rows.length)} of ${count(all)}.`);
  }
}

function rowOf(move: Move, accuracy: number | null | undefined): HTMLTableRowElement {
  const { version, fromVersion, at, updates, clients, examples, bytes: size, staleness, discount } = move;
  const row = document.createElement("tr");
  const cells = [
    updates > 1 ? `${count(fromVersion + 1)}–${count(version)}` : count(version),
    "",
    count(updates),
    count(clients),
    count(examples),
    bytes(size),
    staleness ? span(staleness) : "–",
    percentOf(discount),
    accuracy === undefined ? "" : percentOf(accuracy),
  ];
  cells.forEach((text, column) => put(row, text, WIDE.has(column) ? "wide" : ""));
  date(row.cells[1]!, at);
  return row;
}

/** A row with words instead of figures. */
function noteRowOf(move: Move, note: string, accuracy: number | null | undefined): HTMLTableRowElement {
  const row = document.createElement("tr");
  if (isAside(move)) row.className = "moved";
  put(row, count(move.version), "");
  date(put(row, "", ""), move.at);
  // It goes on over the columns beside its own, which are empty; a narrow screen has none of them, and it is broken into lines.
  put(row, note, "noted");
  for (let i = 0; i < WIDE.size; i++) put(row, "", "wide");
  put(row, accuracy === undefined ? "" : percentOf(accuracy), "");
  return row;
}

/** When it was; a narrow screen has no room for seconds. */
function date(cell: HTMLTableCellElement, at: number): void {
  const text = clock(at, Date.now());
  const [seconds = ""] = /(?<=^\d\d:\d\d):\d\d$/.exec(text) ?? [];
  cell.replaceChildren(text.slice(0, text.length - seconds.length), ...(seconds ? [make("span", { className: "wide", textContent: seconds })] : []));
}

function put(row: HTMLTableRowElement, text: string, name: string): HTMLTableCellElement {
  const cell = row.insertCell();
  cell.textContent = text;
  if (name) cell.className = name;
  return cell;
}

/** Whether the head went elsewhere than on. */
function isAside({ kind }: Move): boolean {
  return kind === "rollback" || kind === "unmerge";
}

/** What a move that merged nothing did; null of a commit. */
export function noteOf({ kind, restores, leftOut, note }: Move): string | null {
  const said = note ? `: ${note}` : "";
  if (kind === "rollback") return `Rolled back to version ${count(restores ?? 0)}${said}`;
  if (kind === "unmerge") return `Merged again without ${leftOutWords(leftOut ?? { clients: 0, updates: 0 })}${said}`;
  return kind === "genesis" ? "The first weights" : null;
}

function leftOutWords({ clients, updates }: { clients: number; updates: number }): string {
  const machines = clients > 0 ? `the updates of ${clients === 1 ? "one machine" : `${count(clients)} machines`}` : "";
  const single = updates > 0 ? (updates === 1 ? "one update" : `${count(updates)} updates`) : "";
  return [machines, single].filter(Boolean).join(" and ");
}

/** A dash where there is none, or it is no number. */
export function percentOf(fraction: number | null | undefined): string {
  return fraction === null || fraction === undefined ? "–" : percent(fraction);
}

function span([low, high]: readonly [number, number]): string {
  return low === high ? String(low) : `${low}–${high}`;
}
