/** Which examples to train on, exactly as `docs/openapi.yaml` defines it. */

/** A source of numbers in [0, 1): mulberry32. */
export function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The numbers 0 … n-1, shuffled by Fisher–Yates from the seed. */
export function permutation(seed: number, n: number): Uint32Array {
  const random = mulberry32(seed);
  const p = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const swapped = p[i]!;
    p[i] = p[j]!;
    p[j] = swapped;
  }
  return p;
}

/** The examples of one step: p[(offset + step * size + b) mod n], b = 0 … size-1. */
export function batch(p: Uint32Array, offset: number, step: number, size: number): Uint32Array {
  const start = offset + step * size;
  const examples = new Uint32Array(size);
  for (let b = 0; b < size; b++) examples[b] = p[(start + b) % p.length]!;
  return examples;
}
