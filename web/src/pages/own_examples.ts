/** The examples that a visitor has brought; they are here and nowhere else. */

import type { OwnData } from "../index";

export interface Example {
  /** For each input, and for each target, its numbers. */
  inputs: Float32Array[];
  targets: number[][];
  /** What it is an example of. */
  words: string;
}

/** More than a visitor draws, and less than a page breaks under. */
export const MOST_EXAMPLES = 20_000;

/** All examples, one after another, as the library takes them; null if there are none. */
export function dataOf(examples: readonly Example[]): OwnData | null {
  if (examples.length === 0) return null;
  const { inputs, targets } = examples[0]!;
  return {
    inputs: inputs.map((_, i) => joined(examples.map((example) => example.inputs[i]!))),
    targets: targets.map((_, i) => joined(examples.map((example) => example.targets[i]!))),
  };
}

function joined(parts: readonly ArrayLike<number>[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let start = 0;
  for (const part of parts) {
    all.set(part, start);
    start += part.length;
  }
  return all;
}

/** The examples of each kind, in the order of their first. */
export function grouped(examples: readonly Example[]): Map<string, Example[]> {
  const groups = new Map<string, Example[]>();
  for (const example of examples) {
    const group = groups.get(example.words);
    if (group) group.push(example);
    else groups.set(example.words, [example]);
  }
  return groups;
}
