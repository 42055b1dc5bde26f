/** Reads a run's live object, if it has changed, and the pages beside it that are new. */

import type { Clock } from "./clock";
import type { Chronicle } from "./chronicle";
import { NotUnderstood } from "./errors";
import type { Story } from "./follow";
import { Http, readChanged, type Document } from "./http";
import { measuresIn, movesIn, pageWith, readLive, readPage, rowsIn, type Kind, type Live, type Page, type Row } from "./live";

export interface ReaderOptions {
  /** Of the live object. */
  url: string;
  clock: Clock;
  signal: AbortSignal;
  fetch?: typeof fetch;
  /** The live object, where somebody has just read it. */
  found?: Document;
}

export interface Look {
  story: Story;
  /** Whether anything did since the last look. */
  changed: boolean;
}

/** Pages that are asked for of each kind. */
const AT_A_TIME = 4;

interface Part {
  rows: Row[];
  notes: Page["notes"];
}

export class LiveReader {
  private readonly http: Http;
  private tag: string | null = null;
  private story: Story | null = null;
  private createdAt = NaN;
  /** Rows that were read so far. */
  private readonly read = { commits: 0, evaluations: 0 };
  /** Moves that were known after that. */
  private known = 0;
  private given: Document | undefined;

  constructor(
    private readonly options: ReaderOptions,
    private readonly chronicle: Chronicle,
  ) {
    this.given = options.found;
    this.http = new Http({ attempts: 2, ...options });
  }

  /** Whatever is there next is read as if it were the first. */
  forget(): void {
    this.tag = this.story = null;
    this.createdAt = NaN;
  }

  /** Adds what is new to the chronicle; null where there is no live object. @throws Unavailable, or the signal's reason */
  async look(): Promise<Look | null> {
    const { url, signal } = this.options;
    const found = this.given ?? (await readChanged(this.http, url, this.tag, signal));
    this.given = undefined;
    if (found === "absent") return null;
    if (found === "same" && this.story) return { story: this.story, changed: false };
    if (found === "same") throw new NotUnderstood("live");
    const live = readLive(found.body);
    this.beginAnewIfOther(live);
    this.take(live, ...(await this.allParts(live)));
    this.tag = found.tag;
    return { story: (this.story = storyOf(live, this.chronicle)), changed: true };
  }

  /** Another run of the name; or somebody else has added to the chronicle, so that rows cannot be counted on. */
  private beginAnewIfOther(live: Live): void {
    if (live.created_at === this.createdAt && this.known === this.chronicle.moves.length) return;
    this.createdAt = live.created_at;
    this.read.commits = this.read.evaluations = 0;
    this.chronicle.clear();
  }

  /** Commits and evaluations. Where one page cannot be read nobody waits for the others: all are asked for again. */
  private async allParts(live: Live): Promise<[commits: Part[], evaluations: Part[]]> {
    const failing = new AbortController();
    const signal = AbortSignal.any([this.options.signal, failing.signal]);
    try {
      return await Promise.all([this.partsOf(live, "commits", signal), this.partsOf(live, "evaluations", signal)]);
    } catch (error) {
      failing.abort(error);
      throw error;
    }
  }

  /** All rows that are new: of pages, and of the object itself. */
  private async partsOf(live: Live, kind: Kind, signal: AbortSignal): Promise<Part[]> {
    const before = live.before[kind];
    const pages: (() => Promise<Part>)[] = [];
    for (let from = this.read[kind]; from < before; ) {
      const { size, number } = pageWith(from, before, live.sizes);
      const known = from - size * number;
      pages.push(() => this.page(live, kind, `${size}-${number}`, known, signal));
      from = size * (number + 1);
    }
    const { notes } = live[kind];
    const newest = rowsIn(kind, live[kind]).slice(Math.max(0, this.read[kind] - before));
    return [...(await fewAtATime(pages)), { rows: newest, notes }];
  }

  /** The rows of a page but for those that are known already. */
  private async page(live: Live, kind: Kind, name: string, known: number, signal: AbortSignal): Promise<Part> {
    signal.throwIfAborted();
    const address = new URL(`${live.pages}${kind}-${name}.json`, this.options.url).href;
    const found = await readChanged(this.http, address, null, signal);
    // While somebody writes them anew.
    if (typeof found === "string") throw new NotUnderstood(address);
    const page = readPage(found.body);
    return { rows: rowsIn(kind, page).slice(known), notes: page.notes };
  }

  private take(live: Live, commits: readonly Part[], evaluations: readonly Part[]): void {
    for (const { rows, notes } of commits) {
      this.chronicle.add(movesIn(rows, notes, this.chronicle.moves.at(-1), live.first_generation), []);
      this.read.commits += rows.length;
    }
    for (const { rows } of evaluations) {
      this.chronicle.add([], measuresIn(rows));
      this.read.evaluations += rows.length;
    }
    this.known = this.chronicle.moves.length;
  }
}

/** Each begins in a task of its own: asking for all at once takes a slow phone as long as drawing them. */
async function fewAtATime<T>(asked: readonly (() => Promise<T>)[]): Promise<T[]> {
  const [found, rest]: [T[], IterableIterator<[number, () => Promise<T>]>] = [[], asked.entries()];
  const one = async () => {
    await new Promise<void>((resolve) => setTimeout(resolve));
    for (const [i, ask] of rest) found[i] = await ask();
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, one));
  return found;
}

function storyOf(live: Live, { moves, evaluations }: Chronicle): Story {
  const { version, steps, generation, sha256, created_at: createdAt } = live;
  return {
    about: { run: live.run, title: live.title, description: live.description, createdAt, target: live.target },
    status: live.status,
    head: { version, steps, generation, sha256 },
    clients: live.clients,
    at: live.at,
    moves,
    evaluations,
    totals: {
      updates: live.updates,
      examples: live.examples,
      bytes: live.update_bytes,
      checkpointBytes: live.checkpoint_bytes,
      staleness: live.staleness,
    },
    cost: {
      dollars: live.dollars,
      perVersion: live.dollars_per_version,
      perMonth: live.dollars_a_month,
      noted: live.prices_noted,
    },
    crowd: live.crowd.map(([seconds, clients]) => [createdAt + 1000 * seconds, clients] as const),
  };
}
