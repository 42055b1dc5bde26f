/**
 * The only module that imports TensorFlow.js (4.22.0, the last release: pinned exactly).
 *
 * The GPU backends are big and often useless (no GPU, or one emulated in software), so they are fetched on demand.
 */

import "@tensorflow/tfjs-backend-cpu";
import type { TensorInfo } from "@tensorflow/tfjs-core";

export * as tf from "@tensorflow/tfjs-core";
export type {
  DataType,
  KernelConfig,
  KernelFunc,
  NamedAttrMap,
  Optimizer,
  Rank,
  Scalar,
  Tensor,
  Tensor2D,
  Tensor4D,
  Tensor5D,
  TensorInfo,
  Variable,
} from "@tensorflow/tfjs-core";
export { models, metrics } from "@tensorflow/tfjs-layers";
export type { LayersModel } from "@tensorflow/tfjs-layers";
export { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

/** What our kernels use of the wasm backend. */
export interface WasmHeap {
  makeOutput(shape: number[], dtype: string): TensorInfo;
  /** A view, good until the next allocation. */
  typedArrayFromHeap(tensor: TensorInfo): ArrayBufferView;
  disposeData(dataId: object): boolean;
}

/** Registers the WebGL backend. */
export async function loadWebgl(): Promise<void> {
  await import("@tensorflow/tfjs-backend-webgl");
}

/** Registers the WebGPU backend. */
export async function loadWebgpu(): Promise<void> {
  await import("@tensorflow/tfjs-backend-webgpu");
}
