/** Keeps examples over reloads, in this browser's own database, for who has asked for that. */

import type { Example } from "./own_examples";

const DATABASE = "webnn-own-data";
const STORE = "examples";

/** A place for the examples of one run. Where the browser keeps nothing, it keeps nothing. */
export interface Store {
  load(): Promise<Example[]>;
  save(examples: readonly Example[]): Promise<void>;
  forget(): Promise<void>;
}

export function createStore(key: string): Store {
  return {
    load: async () => {
      const found = await ask("readonly", (store) => store.get(key)).catch(() => undefined);
      return Array.isArray(found) ? (found as Example[]) : [];
    },
    save: (examples) => ask("readwrite", (store) => store.put(examples, key)).then(() => undefined),
    forget: () => ask("readwrite", (store) => store.delete(key)).then(() => undefined, () => undefined),
  };
}

async function ask(mode: IDBTransactionMode, what: (store: IDBObjectStore) => IDBRequest): Promise<unknown> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(STORE);
  const database = (await settled(opening)) as IDBDatabase;
  try {
    return await settled(what(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled(request: IDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the browser's database did not answer"));
  });
}
