/** Where an optimizer's state outlives the page: the browser's IndexedDB. Nothing depends on it but how soon training goes well again. */

import { createStore, del, get, set, type UseStore } from "idb-keyval";

import { systemClock } from "./clock";
import type { OptimizerState } from "./optimizer_state";

/** A state, and what it belongs to: in any other generation or recipe it is worthless. */
export interface Kept extends OptimizerState {
  generation: number;
  recipe: string;
}

/** Any call may fail. */
export interface States {
  load(): Promise<Kept | null>;
  save(state: Kept): Promise<void>;
  drop(): Promise<void>;
}

const LONGEST_MS = 3000;

/** The state of one run; null where the browser has no storage for it. `key` is unlike that of any other run. */
export async function browserStates(key: string): Promise<States | null> {
  const store = await within(opened()).catch(() => null);
  if (!store) return null;
  return {
    load: async () => {
      const found: unknown = await within(get(key, store));
      return isKept(found) ? found : null;
    },
    save: (state) => set(key, state, store),
    drop: () => del(key, store),
  };
}

/** Private windows may forbid storage, or have it and never answer. */
async function opened(): Promise<UseStore> {
  const store = createStore("webnn", "optimizers");
  await get("", store);
  return store;
}

async function within<T>(asked: Promise<T>): Promise<T> {
  const late = systemClock.sleep(LONGEST_MS).then(() => Promise.reject(new Error("storage does not answer")));
  return Promise.race([asked, late]);
}

function isKept(found: unknown): found is Kept {
  const { generation, recipe, steps, slots } = (found ?? {}) as Partial<Kept>;
  if (typeof generation !== "number" || typeof recipe !== "string" || typeof steps !== "number") return false;
  return Array.isArray(slots) && slots.every((slot) => Array.isArray(slot.shape) && slot.values instanceof Float32Array);
}
