/** What the live object of a run and the pages beside it say: `docs/watching.md`. Checked where it comes in. */

import { NotUnderstood } from "./errors";
import { absent, array, list, nullable, number, object, oneOf, pair, Strange, string, whole, type Shape } from "./shapes";

/** A move of the head. Times are milliseconds since 1970. */
export interface Move {
  kind: "genesis" | "commit" | "rollback" | "unmerge";
  version: number;
  fromVersion: number;
  at: number;
  steps: number;
  generation: number;
  /** How many it merged. */
  updates: number;
  /** Whose they were: how many. */
  clients: number;
  examples: number;
  /** Of the updates' bodies. */
  bytes: number;
  checkpointBytes: number;
  /** Of the freshest and of the stalest update; null if it merged none. */
  staleness: [low: number, high: number] | null;
  /** What staleness left of their influence, on average; null if it merged none. */
  discount: number | null;
  /** The version whose weights a rollback brought back. */
  restores: number | null;
  /** How much an unmerge was told to leave out. */
  leftOut: { clients: number; updates: number } | null;
  /** What the owner says of a rollback or an unmerge; empty for nothing. */
  note: string;
}

/** Loss and accuracy of a version on the whole validation set; null where they are no number. */
export interface Measure {
  version: number;
  at: number;
  loss: number | null;
  accuracy: number | null;
}

export type Kind = "commits" | "evaluations";
export type Page = ReturnType<typeof page>;
export type Live = ReturnType<typeof live>;

const count = whole(0);

const note = object({
  version: count,
  kind: oneOf("rollback", "unmerge"),
  to: absent(count, null),
  clients: absent(count, 0),
  updates: absent(count, 0),
  text: absent(string, ""),
});

// Rows are looked at when they are read: there may be thousands.
const page = object({ rows: absent(array(list), []), notes: absent(array(note), []) });

/** Of a newer format nothing is understood. */
const known: Shape<1> = (value, path) => {
  if (value !== 1) throw new Strange(path);
  return value;
};

const live = object({
  format: known,
  run: string,
  title: string,
  description: string,
  created_at: number,
  target: nullable(number),
  status: oneOf("running", "paused", "finished"),
  at: number,
  version: count,
  steps: count,
  generation: count,
  first_generation: count,
  sha256: string,
  clients: count,
  updates: count,
  examples: count,
  update_bytes: count,
  checkpoint_bytes: count,
  staleness: array(count),
  dollars: number,
  dollars_per_version: nullable(number),
  dollars_a_month: number,
  prices_noted: string,
  pages: string,
  sizes: array(whole(1), 1),
  before: object({ commits: count, evaluations: count }),
  commits: page,
  evaluations: page,
  crowd: array(pair(number, count)),
});

const reader =
  <T>(name: string, shape: Shape<T>) =>
  (body: unknown): T => {
    try {
      return shape(body, name);
    } catch (error) {
      throw error instanceof Strange ? new NotUnderstood(error.path) : error;
    }
  };

/** @throws NotUnderstood */
export const readLive = reader("live", live);
/** @throws NotUnderstood */
export const readPage = reader("page", page);

/** Version, time and what else a row holds; null where a number is none. */
export type Row = (number | null)[];

/** Columns of a row, and how many of them are differences to the row before; the last `nullable` may be null. */
const SHAPES = {
  commits: { columns: 11, growing: 3, nullable: 0 },
  evaluations: { columns: 4, growing: 2, nullable: 2 },
} as const satisfies Record<Kind, unknown>;

/** The rows with no more differences in them. @throws NotUnderstood */
export function rowsIn(kind: Kind, { rows }: Page): Row[] {
  const { columns, growing, nullable } = SHAPES[kind];
  const last = new Array<number>(growing).fill(0);
  return rows.map((row) => {
    const good = row.every((value, i) => Number.isFinite(value) || (value === null && i >= columns - nullable));
    if (!good || row.length < columns) throw new NotUnderstood(`${kind}.rows`);
    const values = [...(row as Row)];
    for (let i = 0; i < growing; i++) values[i] = last[i] = last[i]! + values[i]!;
    return values;
  });
}

/** Rows as moves of the head, which come after `last`. */
export function movesIn(rows: readonly Row[], notes: Page["notes"], last: Move | undefined, firstGeneration: number): Move[] {
  const noted = new Map(notes.map((one) => [one.version, one]));
  let before = last;
  return rows.map((row) => (before = moveOf(row as number[], noted.get(row[0]!), before, firstGeneration)));
}

function moveOf(row: number[], note: Page["notes"][number] | undefined, before: Move | undefined, firstGeneration: number): Move {
  const [version, at, steps, updates, clients, examples, bytes, checkpointBytes, low, high, mean] = row;
  const merged = updates! > 0;
  return {
    kind: note?.kind ?? (before ? "commit" : "genesis"),
    version: version!,
    fromVersion: before?.version ?? 0,
    at: at!,
    steps: steps!,
    generation: (before?.generation ?? firstGeneration) + (note ? 1 : 0),
    updates: updates!,
    clients: clients!,
    examples: examples!,
    bytes: bytes!,
    checkpointBytes: checkpointBytes!,
    staleness: merged ? [low!, high!] : null,
    discount: merged ? mean! : null,
    restores: note?.kind === "rollback" ? note.to : null,
    leftOut: note?.kind === "unmerge" ? { clients: note.clients, updates: note.updates } : null,
    note: note?.text ?? "",
  };
}

/** Rows as evaluations. */
export function measuresIn(rows: readonly Row[]): Measure[] {
  return rows.map(([version, at, loss, accuracy]) => ({
    version: version!,
    at: at!,
    loss: loss ?? null,
    accuracy: accuracy ?? null,
  }));
}

/** A page beside the live object that holds row `from`, the largest that is complete: its size and its number. */
export function pageWith(from: number, before: number, sizes: readonly number[]): { size: number; number: number } {
  const smallest = sizes[0]!;
  const begin = from - (from % smallest);
  const size = sizes.findLast((size) => begin % size === 0 && begin + size <= before) ?? smallest;
  return { size, number: begin / size };
}
