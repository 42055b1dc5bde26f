/**
 * Blobs by hash: what was downloaded once, in this session or an earlier one, is not downloaded again.
 *
 * Behind a small memory stands a shelf that lasts: the browser's Cache API. A machine without one (Node, a private
 * window, a full disk) works from memory alone.
 */

import type { Api } from "./api";
import { systemClock } from "./clock";
import type { Blob } from "./protocol";
import { sha256 } from "./sha256";

/** Storage that outlives the page. Both calls may fail; nothing depends on them but speed. */
export interface Shelf {
  get(hash: string): Promise<ArrayBuffer | null>;
  put(hash: string, body: ArrayBuffer): Promise<void>;
  drop(hash: string): Promise<void>;
}

export interface BlobCache {
  /** The same hash gives the same object for as long as it stays in memory. */
  get(blob: Blob, signal?: AbortSignal): Promise<ArrayBuffer>;
}

const MEMORY_BYTES = 512 * 2 ** 20;

/** A cache over `api.download`. With a null shelf it lives in memory only. */
export function createBlobCache(api: Pick<Api, "download">, shelf: Shelf | null, memoryBytes = MEMORY_BYTES): BlobCache {
  const memory = new Map<string, ArrayBuffer>();
  let used = 0;

  const remember = (hash: string, body: ArrayBuffer) => {
    memory.set(hash, body);
    used += body.byteLength;
    for (const [oldest, old] of memory) {
      if (used <= memoryBytes || oldest === hash) break;
      memory.delete(oldest);
      used -= old.byteLength;
    }
  };

  return {
    async get(blob, signal) {
      const known = memory.get(blob.sha256);
      if (known) {
        // Moved to the end: the map's order is the order of last use.
        memory.delete(blob.sha256);
        memory.set(blob.sha256, known);
        return known;
      }
      const body = (await fromShelf(shelf, blob)) ?? (await fetched(api, shelf, blob, signal));
      remember(blob.sha256, body);
      return body;
    },
  };
}

async function fetched(api: Pick<Api, "download">, shelf: Shelf | null, blob: Blob, signal?: AbortSignal): Promise<ArrayBuffer> {
  const body = await api.download(blob, signal);
  // A full or forbidden shelf costs a download next time, nothing more.
  await shelf?.put(blob.sha256, body).catch(() => undefined);
  return body;
}

async function fromShelf(shelf: Shelf | null, blob: Blob): Promise<ArrayBuffer | null> {
  const body = await shelf?.get(blob.sha256).catch(() => null);
  if (!shelf || !body) return null;
  if (body.byteLength === blob.bytes && (await sha256(body)) === blob.sha256) return body;
  await shelf.drop(blob.sha256).catch(() => undefined);
  return null;
}

const OPENING_MS = 3000;

// Async, because where storage is forbidden the mere look at `caches` may throw.
async function opened(storage?: CacheStorage): Promise<Cache | undefined> {
  return (storage ?? (globalThis as { caches?: CacheStorage }).caches)?.open("webnn-blobs");
}

/** The Cache API as a shelf; null where there is none, where it is forbidden, and where it does not answer. */
export async function browserShelf(storage?: CacheStorage): Promise<Shelf | null> {
  const tooLong = systemClock.sleep(OPENING_MS).then(() => undefined);
  const cache = await Promise.race([opened(storage), tooLong]).catch(() => undefined);
  if (!cache) return null;
  // The cache wants http addresses as keys; nothing is ever fetched from this one.
  const key = (hash: string) => `https://webnn.invalid/${hash}`;
  return {
    get: async (hash) => (await (await cache.match(key(hash)))?.arrayBuffer()) ?? null,
    put: (hash, body) => cache.put(key(hash), new Response(body)),
    drop: async (hash) => {
      await cache.delete(key(hash));
    },
  };
}
