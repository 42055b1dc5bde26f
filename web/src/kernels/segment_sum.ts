/** The gradient of a look-up (embeddings) for the wasm backend: rows added up by where they were looked up. */

import { tf, type TensorInfo, type WasmHeap } from "../tf";

/** Sums the rows of `x` that carry the same segment id; ids outside 0 … count-1 are left out. */
export function segmentSum(x: TensorInfo, segmentIds: TensorInfo, count: number, backend: WasmHeap): TensorInfo {
  const shape = [count, ...x.shape.slice(1)];
  const out = backend.makeOutput(shape, x.dtype);
  // Views are taken after the allocation, which may have moved the heap.
  const sums = backend.typedArrayFromHeap(out) as Float32Array;
  const rows = backend.typedArrayFromHeap(x) as Float32Array;
  const ids = backend.typedArrayFromHeap(segmentIds) as Int32Array;
  const width = tf.util.sizeFromShape(x.shape.slice(1));
  sums.fill(0);
  ids.forEach((id, row) => {
    if (id < 0 || id >= count) return;
    for (let k = 0; k < width; k++) sums[id * width + k]! += rows[row * width + k]!;
  });
  return out;
}
