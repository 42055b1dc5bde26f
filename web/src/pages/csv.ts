/** A run's history as CSV: the tables of `webnn logs`, as far as the story has their columns (`docs/watching.md`). */

import type { Measure, Move } from "../index";

type Cell = string | number;

const COMMITS = [
  "time", "seconds", "kind", "from_version", "version", "steps", "generation", "updates", "clients", "examples",
  "update_bytes", "checkpoint_bytes", "note",
];
const EVALUATIONS = ["time", "seconds", "version", "steps", "loss", "accuracy"];

/** The moves of the head. */
export function commitsCsv(moves: readonly Move[]): string {
  const began = moves[0]?.at ?? 0;
  const rows = moves.map((move) => [
    ...time(move.at, began), move.kind, move.fromVersion, move.version, move.steps, move.generation, move.updates, move.clients,
    move.examples, move.bytes, move.checkpointBytes, quoted(move.note),
  ]);
  return text(COMMITS, rows);
}

/** Each beside the move that made its version. */
export function evaluationsCsv(evaluations: readonly Measure[], moves: readonly Move[]): string {
  const began = moves[0]?.at ?? 0;
  const steps = new Map(moves.map((move) => [move.version, move.steps]));
  const rows = evaluations.map(({ version, at, loss, accuracy }) => [
    ...time(at, began), version, steps.get(version) ?? "", loss ?? "nan", accuracy ?? "nan",
  ]);
  return text(EVALUATIONS, rows);
}

/** A note, which a spreadsheet is not to take for a formula and work out; in quotes as Python's writer does: only where it must be. */
function quoted(note: string): string {
  const words = /^[=+\-@\t\r]/.test(note) ? `'${note}` : note;
  return /[",\r\n]/.test(words) ? `"${words.replaceAll('"', '""')}"` : words;
}

function time(at: number, began: number): [string, string] {
  return [new Date(at).toISOString(), ((at - began) / 1000).toFixed(3)];
}

function text(columns: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return [columns, ...rows].map((row) => `${row.join(",")}\n`).join("");
}
