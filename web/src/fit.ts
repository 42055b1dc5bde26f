/** Do a visitor's numbers fit the model? */

import { InvalidData } from "./errors";
import type { Numbers } from "./messages";
import type { Spec, TensorSpec } from "./protocol";
import { sizeOf } from "./sizes";

/** How many examples these are: each tensor must hold as many. `targets`: as well, unless left out. @throws InvalidData */
export function examplesIn(data: Spec["data"], inputs: readonly ArrayLike<number>[], targets?: readonly ArrayLike<number>[]): number {
  checkCount("inputs", data.inputs, inputs);
  if (targets) checkCount("targets", data.targets, targets);
  const values = [...inputs, ...(targets ?? [])];
  const specs = [...data.inputs, ...data.targets].slice(0, values.length);
  const counts = specs.map((tensor, i) => countOf(tensor, values[i]));
  const odd = counts.findIndex((count) => count !== counts[0]);
  if (odd < 0) return counts[0]!;
  const [first, other] = [specs[0]!.name, specs[odd]!.name];
  throw new InvalidData(other, `${other} has ${counts[odd]!} examples, ${first} has ${counts[0]!}`);
}

function checkCount(what: string, specs: readonly TensorSpec[], values: readonly unknown[]): void {
  if (values.length === specs.length) return;
  const names = specs.map(({ name }) => name).join(", ");
  throw new InvalidData(null, `${values.length} ${what} were given where the model has ${specs.length} (${names})`);
}

function countOf(tensor: TensorSpec, values: ArrayLike<number> | null | undefined): number {
  const length = values?.length ?? 0; // a program without types may give anything
  const size = sizeOf(tensor);
  const count = length / size;
  if (count >= 1 && Number.isInteger(count)) return count;
  const shape = `[${tensor.shape.join(", ")}]`;
  throw new InvalidData(tensor.name, `${tensor.name} has ${length} numbers, where each example takes ${size}, of shape ${shape}`);
}

/** A copy for each tensor: the page may go on writing into its own. @throws InvalidData */
export function numbersOf(specs: readonly TensorSpec[], values: readonly ArrayLike<number>[]): Numbers[] {
  return specs.map((tensor, i) => plain(tensor, values[i]!));
}

function plain(tensor: TensorSpec, values: ArrayLike<number>): Numbers {
  const typed = values instanceof Float32Array || values instanceof Int32Array || values instanceof Uint8Array;
  return typed ? values.slice() : Float64Array.from(values, (value, i) => checked(tensor, value, i));
}

// Made a number, null and "" would be 0.
function checked({ name, dtype }: TensorSpec, value: unknown, i: number): number {
  if (typeof value === "number") return value;
  throw new InvalidData(name, `number ${i} of ${name} is ${typeof value === "string" ? JSON.stringify(value) : String(value)}, which is no ${dtype}`);
}
