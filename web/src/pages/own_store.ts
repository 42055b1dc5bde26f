/** Keeps examples over reloads, in this browser's own database, for who has asked for that. */

import { createStore as database, del, get, set } from "idb-keyval";

import type { Example } from "./own_examples";

/** Private windows may forbid storage, or have it and never answer. */
const LONGEST_MS = 3000;

/** A place for the examples of one run. Where the browser keeps nothing, it keeps nothing. */
export interface Store {
  load(): Promise<Example[]>;
  /** Fails if they are not kept: no storage, or no room. */
  save(examples: readonly Example[]): Promise<void>;
  forget(): Promise<void>;
}

export function createStore(key: string): Store {
  const store = database("webnn-own-data", "examples");
  // A browser without storage fails at once, and not by a promise.
  const asked = async <T>(what: () => Promise<T>): Promise<T> => what();
  return {
    load: async () => {
      const late = new Promise((resolve) => setTimeout(resolve, LONGEST_MS));
      const found: unknown = await Promise.race([asked(() => get(key, store)), late]).catch(() => undefined);
      return Array.isArray(found) ? (found as Example[]) : [];
    },
    save: (examples) => asked(() => set(key, examples, store)),
    forget: () => asked(() => del(key, store)).catch(() => undefined),
  };
}
