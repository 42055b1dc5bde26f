import { readFileSync } from "node:fs";

import { describe, expect, test, vi } from "vitest";

import { NotUnderstood, Refused, Unavailable } from "../src/errors";
import { follow, PAUSES_MS, type Story } from "../src/follow";
import { follow as followRun } from "../src/following";
import type { Document } from "../src/http";
import { measuresIn, movesIn, readLive, rowsIn, type Live } from "../src/live";
import type { Commit, Evaluation, History } from "../src/protocol";
import type { Run } from "../src/run";
import { testClock } from "./clock";

interface Golden {
  object: Live;
  moves: unknown;
  evaluations: unknown;
}

const golden = JSON.parse(readFileSync(new URL("../../tests/golden/live.json", import.meta.url), "utf8")) as Golden;
const LIVE = "https://site.example/live/line.json";
const SIZES = [4, 8, 32];

/** A site with one live object of `versions` commits of one update each, and an API beside it. */
class Site {
  versions = 0;
  evaluated = 0;
  rollbacks = new Set<number>();
  createdAt = 1000;
  status: Live["status"] = "running";
  there = true;
  failures = 0;
  /** Instead of what it is. */
  body: string | null = null;
  /** Instead of the answer that a page would have got. */
  instead: (page: string, signal: AbortSignal) => Promise<Response | null> = () => Promise.resolve(null);
  readonly asked: string[] = [];
  readonly conditional: (string | null)[] = [];

  fetch: typeof fetch = async (input, init) => {
    const url = input as string;
    this.asked.push(url);
    if (this.failures-- > 0) throw new TypeError("down");
    if (!this.there) return new Response("", { status: 403 });
    const asked = new Headers(init?.headers).get("if-none-match");
    if (url === LIVE) this.conditional.push(asked);
    const { tag } = this;
    if (url === LIVE && asked === tag) return new Response(null, { status: 304 });
    const instead = url === LIVE ? null : await this.instead(url.split("/").at(-1)!, init!.signal!);
    const body = this.body ?? JSON.stringify(url === LIVE ? this.object() : this.page(url));
    return instead ?? new Response(body, { headers: { etag: tag } });
  };

  /** The live object as somebody has just read it. */
  document(): Document {
    return { body: this.object(), tag: this.tag };
  }

  get pagesAsked(): string[] {
    return this.asked.filter((url) => url !== LIVE).map((url) => url.split("/").at(-1)!);
  }

  private get tag(): string {
    return `"${this.createdAt} ${this.versions} ${this.evaluated} ${this.status}"`;
  }

  private object(): Live {
    const before = { commits: inPages(this.versions + 1), evaluations: inPages(this.evaluated) };
    return {
      ...golden.object,
      created_at: this.createdAt,
      status: this.status,
      version: this.versions,
      generation: this.rollbacks.size,
      first_generation: 0,
      pages: `line/${this.createdAt}/`,
      sizes: SIZES,
      before,
      commits: this.commits(before.commits, this.versions + 1),
      evaluations: this.evaluations(before.evaluations, this.evaluated),
    };
  }

  private page(url: string): unknown {
    const [, createdAt, kind, size, number] = /line\/(\d+)\/(\w+)-(\d+)-(\d+)\.json$/.exec(url)!;
    expect(Number(createdAt)).toBe(this.createdAt);
    const [begin, end] = [Number(size) * Number(number), Number(size) * (Number(number) + 1)];
    expect(end).toBeLessThanOrEqual(inPages(kind === "commits" ? this.versions + 1 : this.evaluated));
    return kind === "commits" ? this.commits(begin, end) : this.evaluations(begin, end);
  }

  private commits(begin: number, end: number): Live["commits"] {
    const noted = [...this.rollbacks].filter((version) => version >= begin && version < end);
    const notes = noted.map((version) => ({ version, kind: "rollback" as const, to: 0, clients: 0, updates: 0, text: "" }));
    const rows = numbers(begin, end).map((version, i) => {
      const merged = version > 0 && !this.rollbacks.has(version) ? 1 : 0;
      return [i ? 1 : version, i ? 1000 : 1000 * version, i ? 4 : 4 * version, merged, merged, 8, 12, 12, 0, 0, 1];
    });
    return { rows, notes };
  }

  private evaluations(begin: number, end: number): Live["evaluations"] {
    return { rows: numbers(begin, end).map((version, i) => [i ? 1 : version, i ? 1000 : 1000 * version, 0.5, 0.25]), notes: [] };
  }
}

const numbers = (begin: number, end: number) => Array.from({ length: Math.max(0, end - begin) }, (_, i) => begin + i);
/** How many of so many rows are in pages: the object holds less than twice the smallest. */
const inPages = (rows: number) => SIZES[0]! * Math.max(0, Math.floor(rows / SIZES[0]!) - 1);

const movesOf = ({ commits }: Ledger) => commits.map(({ version }) => expect.objectContaining({ version }) as unknown);

const commit = (version: number, change: Partial<Commit> = {}): Commit => ({
  version,
  from_version: version - 1,
  generation: 0,
  at: 1000 * version,
  steps: 4 * version,
  clients: 1,
  examples: 256,
  bytes: 100,
  checkpoint_bytes: 1000,
  staleness: [0],
  discounts: [1],
  restores: null,
  left_out: null,
  note: "",
  ...change,
});

const evaluation = (version: number): Evaluation => ({ version, loss: 1, accuracy: 0.5, examples: 10, at: 1000 * version });

/** A run's history as the server pages it, `size` versions at a time. */
class Ledger {
  commits: Commit[] = [];
  evaluations: Evaluation[] = [];
  generation = 0;
  status: History["status"] = "running";
  readonly asked: number[] = [];
  failures = 0;
  gone = false;

  constructor(private readonly size: number) {}

  getHistory = (run: string, after: number): Promise<History> => {
    this.asked.push(after);
    if (this.failures-- > 0) return Promise.reject(new Unavailable("down"));
    if (this.gone) return Promise.reject(new Refused(404, "missing", "there is no such run"));
    const last = this.commits.at(-1)?.version ?? 0;
    const end = after + this.size;
    const within = ({ version }: { version: number }) => version > after && version <= end;
    const head = { version: last, steps: 4 * last, generation: this.generation, sha256: "" };
    const [commits, evaluations] = [this.commits.filter(within), this.evaluations.filter(within)];
    return Promise.resolve({ run, status: this.status, head, clients: 1, commits, evaluations, next_after: last > end ? end : null });
  };
}

interface Situation {
  site?: Site;
  found?: Document;
  ledger?: Ledger;
  hidden?: boolean;
  /** May change the world before each pause. */
  between?: (pause: number) => void;
}

/** Follows for so many pauses: through the site, if there is one, else through the API. */
async function followed(pauses: number, { site, found, ledger = new Ledger(100), hidden = false, between = () => undefined }: Situation) {
  const clock = testClock();
  const stop = new AbortController();
  const stories: Story[] = [];
  const troubles: (string | null)[] = [];
  const gone: boolean[] = [];
  const sleep = clock.sleep;
  clock.sleep = async (ms, signal) => {
    if (clock.slept.length + 1 >= pauses) stop.abort(new Error("enough"));
    between(clock.slept.length);
    await sleep(ms, signal);
  };
  await follow({
    api: ledger,
    live: site ? LIVE : null,
    ...(site ? { fetch: site.fetch } : {}),
    ...(found ? { found } : {}),
    clock,
    run: "digits",
    onStory: (story) => stories.push(story),
    onTrouble: (message, missing) => void (troubles.push(message), gone.push(missing)),
    hidden: () => hidden,
    signal: stop.signal,
  });
  return { stories, troubles, gone, slept: clock.slept };
}

describe("following a run by the API", () => {
  test("asks page by page until all is there", async () => {
    const ledger = new Ledger(10);
    ledger.commits = Array.from({ length: 25 }, (_, i) => commit(i + 1));
    const { stories } = await followed(1, { ledger });
    expect(ledger.asked).toEqual([-1, 9, 19]);
    expect(stories.at(-1)!.moves.map(({ version }) => version)).toEqual(ledger.commits.map(({ version }) => version));
  });

  test("then asks only for what is new", async () => {
    const ledger = new Ledger(100);
    ledger.commits = [1, 2, 3].map((version) => commit(version));
    ledger.evaluations = [evaluation(3)];
    const { stories } = await followed(2, { ledger, between: () => ledger.commits.push(commit(4)) });
    expect(ledger.asked).toEqual([-1, 3]);
    expect(stories.at(-1)!.moves).toHaveLength(4);
  });

  test("an evaluation that comes after its version was seen is not missed", async () => {
    const ledger = new Ledger(100);
    ledger.commits = [1, 2, 3].map((version) => commit(version));
    ledger.evaluations = [evaluation(1)];
    const { stories } = await followed(2, { ledger, between: () => ledger.evaluations.push(evaluation(2)) });
    expect(stories.at(-1)!.evaluations.map(({ version }) => version)).toEqual([1, 2]);
  });

  test("a rollback is one more version, and what was before it stays told", async () => {
    const ledger = new Ledger(100);
    ledger.commits = [1, 2, 3].map((version) => commit(version));
    const { stories } = await followed(2, {
      ledger,
      between: () => {
        ledger.generation = 1;
        ledger.commits[3] = commit(4, { generation: 1, staleness: [], discounts: [], restores: 1 });
      },
    });
    const { moves } = stories.at(-1)!;
    expect(moves.map(({ kind }) => kind)).toEqual(["commit", "commit", "commit", "rollback"]);
    expect(moves[3]).toMatchObject({ restores: 1, updates: 0, staleness: null, discount: null, generation: 1 });
  });

  test.each([false, true])("another run of the name begins anew, seen gone: %s", async (seen) => {
    const ledger = new Ledger(100);
    ledger.commits = numbers(1, 6).map((version) => commit(version));
    ledger.evaluations = numbers(1, 6).map((version) => evaluation(version));
    const between = (pause: number) => {
      ledger.gone = seen && pause === 0;
      if (pause === 1) [ledger.commits, ledger.evaluations] = [numbers(1, seen ? 9 : 3).map((version) => commit(version)), []];
    };
    const { stories, gone } = await followed(3, { ledger, between });
    expect(gone).toEqual([false, seen, false]);
    expect(stories.at(-1)!.moves).toEqual(movesOf(ledger));
    expect(stories.at(-1)!.evaluations).toEqual([]);
  });

  test("a server that is down is asked less and less often, and the trouble is told and taken back", async () => {
    const ledger = new Ledger(100);
    ledger.failures = 3;
    const { troubles, slept } = await followed(4, { ledger });
    expect(troubles).toEqual(["down", "down", "down", null]);
    expect(slept[2]!).toBeGreaterThan(slept[0]!);
  });

  test("adds up what the live object would have added up", async () => {
    const ledger = new Ledger(1);
    ledger.commits = [commit(0, { staleness: [], discounts: [] }), commit(1), commit(4, { staleness: [1, 2, 100], discounts: [1, 0.5, 0] })];
    const { totals, moves, cost } = (await followed(2, { ledger })).stories.at(-1)!;
    expect(totals).toMatchObject({ updates: 4, examples: 768, bytes: 300, checkpointBytes: 3000 });
    expect([...totals.staleness.entries()].filter(([, updates]) => updates > 0)).toEqual([[0, 1], [1, 1], [2, 1], [64, 1]]);
    expect(moves.at(-1)).toMatchObject({ kind: "commit", staleness: [1, 100], discount: 0.5 });
    expect(moves[0]!.kind).toBe("genesis");
    expect(cost).toBeNull();
  });

  test("asks slowly, and more so on a hidden page", async () => {
    expect((await followed(2, {})).slept[0]).toBe(PAUSES_MS.api);
    expect((await followed(2, { hidden: true })).slept[0]).toBe(PAUSES_MS.hiddenStill);
  });
});

describe("a history that leads nowhere", () => {
  const page = (change: Partial<History>): History => ({
    run: "digits",
    status: "running",
    head: { version: 1, steps: 1, generation: 0, sha256: "" },
    clients: 1,
    commits: [commit(1)],
    evaluations: [],
    next_after: null,
    ...change,
  });

  /** What happens before the first pause. */
  async function askedBeforeAPause(answer: (request: number) => History) {
    const ledger = new Ledger(1);
    ledger.getHistory = (_, after) => {
      ledger.asked.push(after);
      if (ledger.asked.length > 50) throw new Error("asks for ever");
      return Promise.resolve(answer(ledger.asked.length));
    };
    return { ...(await followed(1, { ledger })), asked: ledger.asked };
  }

  test.each([
    ["next_after that stands still", 0, [-1, 0]],
    ["next_after that goes back", -5, [-1]],
    ["no next_after", undefined, [-1]],
  ])("%s: that was the last page, until the next look", async (_, next, expected) => {
    const { asked, stories, troubles } = await askedBeforeAPause(() => page({ next_after: next as number }));
    expect(asked).toEqual(expected);
    expect(stories.at(-1)!.moves).toHaveLength(1);
    expect(troubles).toEqual([null]);
  });
});


describe("a live object", () => {
  test("is read as it was written", () => {
    const live = readLive(golden.object);
    expect(movesIn(rowsIn("commits", live.commits), live.commits.notes, undefined, live.first_generation)).toEqual(golden.moves);
    expect(measuresIn(rowsIn("evaluations", live.evaluations))).toEqual(golden.evaluations);
  });

  test.each([
    ["of another format", { format: 2 }],
    ["without its rows' times", { commits: { rows: [[1]] } }],
    ["with a loss that is a word", { evaluations: { rows: [[0, 1, "low", 1]] } }],
    ["of a status that nobody knows", { status: "asleep" }],
    ["with pages of no rows", { sizes: [0] }],
  ])("%s is not understood", (_, change) => {
    const read = () => {
      const live = readLive({ ...golden.object, ...change });
      rowsIn("commits", live.commits);
      rowsIn("evaluations", live.evaluations);
    };
    expect(read).toThrow(NotUnderstood);
  });
});

describe("following a live object", () => {
  const versions = ({ moves }: Story) => moves.map(({ version }) => version);

  test("reads all of a history in few pages, and calls no API", async () => {
    const [site, ledger] = [new Site(), new Ledger(1)];
    [site.versions, site.evaluated] = [75, 10];
    site.rollbacks.add(20);
    const { stories } = await followed(1, { site, ledger });
    expect(versions(stories[0]!)).toEqual(numbers(0, 76));
    expect(stories[0]!.evaluations.map(({ version }) => version)).toEqual(numbers(0, 10));
    expect(stories[0]!.moves.filter(({ kind }) => kind !== "commit").map(({ kind, version }) => [kind, version])).toEqual([["genesis", 0], ["rollback", 20]]);
    expect([19, 20, 75].map((version) => stories[0]!.moves[version]!.generation)).toEqual([0, 1, 1]);
    expect(site.asked.map((url) => url.split("/").at(-1))).toEqual([
      "line.json", "commits-32-0.json", "commits-32-1.json", "commits-8-8.json", "evaluations-4-0.json",
    ]);
    expect(ledger.asked).toEqual([]);
  });

  test("then reads the object only, for as long as it holds what is new", async () => {
    const site = new Site();
    site.versions = 40;
    const { stories } = await followed(4, { site, between: () => (site.versions += 3) });
    expect(versions(stories.at(-1)!)).toEqual(numbers(0, 50));
    expect(site.pagesAsked).toEqual(["commits-32-0.json", "commits-4-8.json"]);
    expect(stories.every(({ moves }) => moves === stories[0]!.moves)).toBe(true);
  });

  test("one that was away reads what it missed, and nothing twice", async () => {
    const site = new Site();
    site.versions = 37;
    const { stories } = await followed(2, { site, between: () => (site.versions += 200) });
    expect(versions(stories.at(-1)!)).toEqual(numbers(0, 238));
  });

  test("what somebody has just read is not read again: only its pages are, and after that what has changed", async () => {
    const site = new Site();
    site.versions = 40;
    const found = site.document();
    const { stories } = await followed(3, { site, found, between: (pause) => (site.versions += Number(pause === 1)) });
    expect(site.asked.map((url) => url.split("/").at(-1))).toEqual(["commits-32-0.json", "commits-4-8.json", "line.json", "line.json"]);
    expect(site.conditional).toEqual([found.tag, found.tag]);
    expect(stories.map(versions)).toEqual([numbers(0, 42), numbers(0, 42)]); // one array, which grows
  });

  test("what somebody has read counts once: where its pages cannot be read, or are of a run that is gone, the object is read anew", async () => {
    const site = new Site();
    [site.versions, site.createdAt] = [40, 500];
    const found = site.document();
    site.createdAt = 1000;
    site.instead = (page) => Promise.resolve(site.asked.includes(LIVE) ? null : new Response(`no ${page}`, { status: 404 }));
    const { stories, troubles } = await followed(2, { site, found });
    expect(site.conditional).toEqual([null]);
    expect(troubles.map((message) => message !== null)).toEqual([true, false]);
    expect(stories.map(({ about }) => about?.createdAt)).toEqual([1000]);
  });

  test("asks for few pages at a time", async () => {
    const site = new Site();
    [site.versions, site.evaluated] = [32 * 20, 32 * 20];
    let [now, most] = [0, 0];
    site.instead = async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve));
      now--;
      return null;
    };
    const { stories } = await followed(1, { site });
    expect(versions(stories[0]!)).toEqual(numbers(0, 641));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
  });

  test("a page that cannot be read is one trouble, and nobody waits for the others: all are read at the next look", async () => {
    const site = new Site();
    [site.versions, site.evaluated] = [32 * 20, 32 * 20];
    const held = new Set<string>();
    let [begun, left]: [number, string[]] = [0, []];
    site.instead = (page, signal) => {
      if (page === "commits-32-0.json") return Promise.resolve(new Response("", { status: 500 }));
      held.add(page);
      begun++;
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          held.delete(page);
          reject(signal.reason as Error);
        });
      });
    };
    const between = (pause: number) => {
      if (pause !== 1) return;
      left = [...held];
      site.instead = () => Promise.resolve(null); // before the next look
      site.asked.length = 0;
    };
    const { stories, troubles } = await followed(3, { site, between });
    expect(troubles).toEqual(["the server answered 500", null]);
    expect([begun > 3, left]).toEqual([true, []]);
    expect(stories.map(versions)).toEqual([numbers(0, 641)]);
    expect(site.asked[0]).toBe(LIVE);
  });

  test("pages that all cannot be read are one trouble", async () => {
    const site = new Site();
    [site.versions, site.evaluated] = [32 * 20, 32 * 20];
    site.instead = () => Promise.reject(new TypeError("down"));
    const ends = (pause: number) => pause > 8 && (site.instead = () => Promise.resolve(null));
    const { troubles, stories } = await followed(12, { site, between: ends });
    expect(new Set(troubles)).toEqual(new Set(["the server does not answer, or there is no network", null]));
    expect(stories.map(versions)).toEqual([numbers(0, 641)]);
    expect(site.asked.filter((url) => url === LIVE).length).toBe(troubles.length);
  });

  test("asks only whether it has changed, ever less often while it has not, and tells nothing then", async () => {
    const site = new Site();
    const { stories, slept } = await followed(8, { site });
    expect(stories).toHaveLength(1);
    expect(site.conditional[0]).toBeNull();
    expect(new Set(site.conditional.slice(1))).toEqual(new Set([`"1000 0 0 running"`]));
    expect(slept[0]).toBe(PAUSES_MS.busy);
    expect(slept.slice(1)).toEqual([...slept.slice(1)].sort((a, b) => a - b));
    expect(slept.at(-1)).toBe(PAUSES_MS.still);
  });

  test("is quick again when something changes", async () => {
    const site = new Site();
    const { slept } = await followed(8, { site, between: (pause) => (site.versions += Number(pause === 5)) });
    expect(slept[5]! > slept[6]! && slept[6] === PAUSES_MS.busy).toBe(true);
  });

  test("asks less often on a hidden page, and seldom about a finished run", async () => {
    const site = new Site();
    expect((await followed(2, { site, hidden: true })).slept[0]).toBe(PAUSES_MS.hidden);
    site.status = "finished";
    expect((await followed(2, { site })).slept[0]).toBe(PAUSES_MS.finished);
  });

  test("who looks again is told at once", async () => {
    const [site, clock, stop] = [new Site(), testClock(), new AbortController()];
    const told: number[] = [];
    let wake: () => void = () => undefined;
    const sleep = (_: number, signal?: AbortSignal) =>
      new Promise<void>((_, reject) => {
        signal!.addEventListener("abort", () => reject(new Error("woken")));
        site.versions++;
        if (told.length < 3) wake();
        else stop.abort(new Error("enough"));
      });
    const onWake = (listener: () => void) => {
      wake = listener;
      return () => (wake = () => undefined);
    };
    const rest = { run: "line", live: LIVE, fetch: site.fetch, api: new Ledger(1), hidden: () => false };
    const hear = { onStory: (story: Story) => told.push(story.head.version), onTrouble: () => undefined };
    await follow({ ...rest, ...hear, clock: { ...clock, sleep }, onWake, signal: stop.signal });
    expect(told).toEqual([0, 1, 2]);
  });

  test("who wants to know amid a look is told after it, and what is known is not asked for again", async () => {
    const [site, clock, stop] = [new Site(), testClock(), new AbortController()];
    site.versions = 40;
    let wake: () => void = () => expect.fail("not given yet");
    const [given, told]: [number[], number[]] = [[], []];
    const onWake = (listener: () => void) => {
      wake = listener;
      return () => void given.push(told.length);
    };
    const onStory = ({ head }: Story) => {
      told.push(head.version);
      site.versions++;
      if (told.length < 3) wake();
      else stop.abort(new Error("enough"));
    };
    const rest = { run: "line", live: LIVE, fetch: site.fetch, api: new Ledger(1), hidden: () => false, onTrouble: () => undefined };
    await follow({ ...rest, onStory, clock, onWake, signal: stop.signal });
    expect([told, given, clock.slept]).toEqual([[40, 41, 42], [3], []]);
    expect(site.conditional.map((tag) => tag !== null)).toEqual([false, true, true]);
    expect(site.pagesAsked).toEqual(["commits-32-0.json", "commits-4-8.json"]);
  });

  test("so is a program that follows by the library", async () => {
    const [site, stop] = [new Site(), new AbortController()];
    vi.stubGlobal("fetch", site.fetch);
    const run = { api: "https://api.example", description: { run: "line", live: LIVE } } as Run;
    const told: number[] = [];
    let wake: () => void = () => undefined;
    const onStory = ({ head }: Story) => {
      told.push(head.version);
      site.versions++;
      if (told.length < 3) wake();
      else stop.abort(new Error("enough"));
    };
    const hidden = () => true; // it would be long before it looked by itself
    await followRun(run, { onStory, hidden, onWake: (listener) => (wake = listener), signal: stop.signal }).finally(() => vi.unstubAllGlobals());
    expect(told).toEqual([0, 1, 2]);
  });

  test("a run that is started again is followed on", async () => {
    const site = new Site();
    site.status = "finished";
    const { stories } = await followed(2, { site, between: () => (site.status = "running") });
    expect(stories.map(({ status }) => status)).toEqual(["finished", "running"]);
  });

  test("where it is absent the API is asked, and the object looked for now and then", async () => {
    const [site, ledger] = [new Site(), new Ledger(100)];
    site.there = false;
    ledger.commits = [commit(1)];
    const { stories, slept } = await followed(20, { site, ledger, between: (pause) => (site.there = pause > 10) });
    expect(slept[0]).toBe(PAUSES_MS.api);
    expect(ledger.asked.length).toBeLessThan(20);
    expect(site.asked.length).toBeLessThan(10);
    expect([stories[0]!.about, stories.at(-1)!.about?.title]).toEqual([null, "A line"]);
  });

  test("what is no object, such as a page for strangers, counts as absent", async () => {
    const [site, ledger] = [new Site(), new Ledger(100)];
    site.body = "<!doctype html>";
    ledger.commits = [commit(1)];
    expect(versions((await followed(1, { site, ledger })).stories[0]!)).toEqual([1]);
  });

  test("the API's story gives way to the object's, whole", async () => {
    const [site, ledger] = [new Site(), new Ledger(100)];
    site.there = false;
    site.versions = 20;
    ledger.commits = numbers(0, 5).map((version) => commit(version));
    const { stories } = await followed(12, { site, ledger, between: () => (site.there = true) });
    expect(versions(stories.at(-1)!)).toEqual(numbers(0, 21));
    expect(stories.at(-1)!.moves).not.toBe(stories[0]!.moves);
  });

  test("another run of the name begins anew", async () => {
    const site = new Site();
    site.versions = 30;
    const between = () => void ([site.versions, site.createdAt] = [2, 2000]);
    const { stories } = await followed(2, { site, between });
    expect(versions(stories.at(-1)!)).toEqual([0, 1, 2]);
    expect(versions(stories[0]!)).toEqual(numbers(0, 31));
  });

  test("a run that is deleted is told to be gone, and another of its name begins anew", async () => {
    const [site, ledger] = [new Site(), new Ledger(100)];
    site.versions = 30;
    const between = (pause: number) => {
      [site.there, ledger.gone] = [pause === 2, pause < 2];
      if (pause === 2) [site.versions, site.createdAt] = [2, 2000];
    };
    const { stories, gone } = await followed(4, { site, ledger, between });
    expect(gone).toEqual([false, true, true, false]);
    expect(versions(stories.at(-1)!)).toEqual([0, 1, 2]);
  });

  test("a site that is down is trouble, told and taken back, and does not send watchers to the API", async () => {
    const [site, ledger] = [new Site(), new Ledger(100)];
    site.failures = 4;
    const { troubles } = await followed(8, { site, ledger });
    expect(troubles.slice(0, 3).map((message) => message !== null)).toEqual([true, true, false]);
    expect(ledger.asked).toEqual([]);
  });

  test("watchers that were opened at one moment do not stay together", async () => {
    const clock = testClock();
    const pauses = new Set<number>();
    for (const luck of [0, 0.3, 0.9]) {
      const stop = new AbortController();
      const sleep = (ms: number) => {
        pauses.add(ms);
        stop.abort(new Error("enough"));
        return Promise.reject(new Error("enough"));
      };
      const rest = { run: "line", onStory: () => undefined, onTrouble: () => undefined, hidden: () => false };
      await follow({ ...rest, api: new Ledger(1), live: LIVE, fetch: new Site().fetch, clock: { ...clock, random: () => luck, sleep }, signal: stop.signal });
    }
    expect(pauses.size).toBe(3);
  });
});
