/**
 * A faster matrix product for the wasm backend.
 *
 * The kernel that ships takes its fast path only when neither operand is to be transposed; the gradients of every dense
 * layer transpose one. Transposing first costs little and lets all products take the fast path.
 */

import type { KernelFunc, TensorInfo, WasmHeap } from "../tf";

/** Wraps the shipped product so that it never sees a transposed operand. */
export function untransposed(product: KernelFunc, transpose: KernelFunc): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const turned: TensorInfo[] = [];
    const operand = (x: TensorInfo, wanted: unknown): TensorInfo => {
      if (!wanted) return x;
      const result = transpose({ inputs: { x }, attrs: { perm: lastTwoSwapped(x.shape.length) }, backend }) as TensorInfo;
      turned.push(result);
      return result;
    };
    const a = operand(inputs["a"]!, attrs?.["transposeA"]);
    const b = operand(inputs["b"]!, attrs?.["transposeB"]);
    const out = product({ inputs: { a, b }, attrs: { transposeA: false, transposeB: false }, backend });
    for (const { dataId } of turned) (backend as unknown as WasmHeap).disposeData(dataId);
    return out;
  };
}

function lastTwoSwapped(rank: number): number[] {
  const perm = Array.from({ length: rank }, (_, axis) => axis);
  return [...perm.slice(0, -2), rank - 1, rank - 2];
}
