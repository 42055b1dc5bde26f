import { describe, expect, test, vi } from "vitest";

import { Unavailable } from "../src/errors";
import type { Blob } from "../src/protocol";
import { sha256 } from "../src/sha256";
import { browserShelf, createBlobCache, type Shelf } from "../src/shards";

const body = (text: string): ArrayBuffer => new TextEncoder().encode(text).buffer;

async function blobOf(text: string): Promise<Blob> {
  return { url: `https://storage.invalid/${text}`, sha256: await sha256(body(text)), bytes: text.length };
}

/** Storage with these texts behind it; remembers what was downloaded. */
function storage() {
  const downloads: string[] = [];
  const download = ({ url }: Blob) => {
    downloads.push(url.split("/").at(-1)!);
    return Promise.resolve(body(url.split("/").at(-1)!));
  };
  return { downloads, download };
}

function memoryShelf(): Shelf & { kept: Map<string, ArrayBuffer> } {
  const kept = new Map<string, ArrayBuffer>();
  return {
    kept,
    get: (hash) => Promise.resolve(kept.get(hash) ?? null),
    put: (hash, value) => Promise.resolve(void kept.set(hash, value)),
    drop: (hash) => Promise.resolve(void kept.delete(hash)),
  };
}

describe("a blob is downloaded once", () => {
  test("in one session, and comes as the same object", async () => {
    const { downloads, download } = storage();
    const cache = createBlobCache({ download }, null);
    const first = await cache.get(await blobOf("one"));
    const second = await cache.get({ ...(await blobOf("one")), url: "https://storage.invalid/presigned-anew" });
    expect(second).toBe(first);
    expect(downloads).toEqual(["one"]);
  });

  test("and not again after a reload", async () => {
    const { downloads, download } = storage();
    const shelf = memoryShelf();
    await createBlobCache({ download }, shelf).get(await blobOf("one"));
    const reloaded = await createBlobCache({ download }, shelf).get(await blobOf("one"));
    expect(new TextDecoder().decode(reloaded)).toBe("one");
    expect(downloads).toEqual(["one"]);
  });
});

describe("the shelf may fail", () => {
  test.each([["other bytes", "two"], ["fewer bytes", "on"]])("%s on it are dropped and downloaded anew", async (_, found) => {
    const { downloads, download } = storage();
    const shelf = memoryShelf();
    const blob = await blobOf("one");
    shelf.kept.set(blob.sha256, body(found));
    expect(new TextDecoder().decode(await createBlobCache({ download }, shelf).get(blob))).toBe("one");
    expect(downloads).toEqual(["one"]);
    expect(new TextDecoder().decode(shelf.kept.get(blob.sha256))).toBe("one");
  });

  test("a full disk costs a download next time, nothing more", async () => {
    const { downloads, download } = storage();
    const full = () => Promise.reject(new DOMException("quota", "QuotaExceededError"));
    const cache = createBlobCache({ download }, { get: full, put: full, drop: full });
    await cache.get(await blobOf("one"));
    await cache.get(await blobOf("one"));
    expect(downloads).toEqual(["one"]);
  });

  test("a download that fails is not remembered", async () => {
    const { downloads, download } = storage();
    let failures = 1;
    const flaky = (blob: Blob) => (failures-- > 0 ? Promise.reject(new Unavailable("down")) : download(blob));
    const cache = createBlobCache({ download: flaky }, memoryShelf());
    await expect(cache.get(await blobOf("one"))).rejects.toThrow(Unavailable);
    await cache.get(await blobOf("one"));
    expect(downloads).toEqual(["one"]);
  });
});

test("memory is bounded: what was used longest ago goes first", async () => {
  const { downloads, download } = storage();
  const cache = createBlobCache({ download }, null, 6);
  for (const text of ["one", "two", "one", "six", "one", "two"]) await cache.get(await blobOf(text));
  expect(downloads).toEqual(["one", "two", "six", "two"]);
});

describe("the browser's Cache API as a shelf", () => {
  /** As much of a CacheStorage as the shelf uses. */
  function cacheStorage(): CacheStorage {
    const kept = new Map<string, Response>();
    const cache = {
      match: (key: string) => Promise.resolve(kept.get(key)?.clone()),
      put: (key: string, response: Response) => Promise.resolve(void kept.set(key, response)),
      delete: (key: string) => Promise.resolve(kept.delete(key)),
    };
    return { open: () => Promise.resolve(cache as unknown as Cache) } as unknown as CacheStorage;
  }

  test("keeps, gives back and drops", async () => {
    const shelf = (await browserShelf(cacheStorage()))!;
    expect(await shelf.get("h")).toBeNull();
    await shelf.put("h", body("one"));
    expect(new TextDecoder().decode((await shelf.get("h"))!)).toBe("one");
    await shelf.drop("h");
    expect(await shelf.get("h")).toBeNull();
  });

  test("a browser that forbids it, or has none, works from memory", async () => {
    const forbidden = { open: () => Promise.reject(new DOMException("no", "SecurityError")) } as unknown as CacheStorage;
    expect(await browserShelf(forbidden)).toBeNull();
    expect(await browserShelf(undefined)).toBeNull();
  });

  test("a browser that throws at the mere look at it works from memory", async () => {
    Object.defineProperty(globalThis, "caches", { configurable: true, get: () => { throw new Error("denied"); } });
    expect(await browserShelf()).toBeNull();
    delete (globalThis as { caches?: unknown }).caches;
  });

  test("a browser that never answers is waited for three seconds", async () => {
    vi.useFakeTimers();
    const silent = { open: () => new Promise<Cache>(() => undefined) } as unknown as CacheStorage;
    const shelf = browserShelf(silent);
    await vi.advanceTimersByTimeAsync(3000);
    expect(await shelf).toBeNull();
    vi.useRealTimers();
  });
});
