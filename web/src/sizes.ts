import type { TensorSpec } from "./protocol";

/** Number of elements. */
export function sizeOf(spec: TensorSpec): number {
  return spec.shape.reduce((product, dimension) => product * dimension, 1);
}
