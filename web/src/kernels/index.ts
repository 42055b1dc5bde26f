/** What the wasm backend of TensorFlow.js 4.22.0 lacks for training, registered once. */

import { tf, type BackendWasm, type KernelFunc, type Tensor4D } from "../tf";
import { conv2dFilterGradient, depthwiseFilterGradient, depthwiseInputGradient } from "./conv";
import { untransposed } from "./matmul";
import { segmentSum } from "./segment_sum";

const missing: Record<string, KernelFunc> = {
  Conv2DBackpropFilter: ({ inputs, attrs }) =>
    conv2dFilterGradient(inputs["x"] as Tensor4D, inputs["dy"] as Tensor4D, attrs!),
  DepthwiseConv2dNativeBackpropFilter: ({ inputs, attrs }) =>
    depthwiseFilterGradient(inputs["x"] as Tensor4D, inputs["dy"] as Tensor4D, attrs!),
  DepthwiseConv2dNativeBackpropInput: ({ inputs, attrs }) =>
    depthwiseInputGradient(inputs["dy"] as Tensor4D, inputs["filter"] as Tensor4D, attrs!),
  UnsortedSegmentSum: ({ inputs, attrs, backend }) =>
    segmentSum(inputs["x"]!, inputs["segmentIds"]!, attrs!["numSegments"] as number, backend as BackendWasm),
};

let registered = false;

/** Registers the missing gradients and the faster matrix product; safe to call again. */
export function registerWasmKernels(): void {
  if (registered) return;
  registered = true;
  for (const [kernelName, kernelFunc] of Object.entries(missing)) {
    tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc });
  }
  const product = tf.getKernel("BatchMatMul", "wasm");
  const transpose = tf.getKernel("Transpose", "wasm");
  tf.unregisterKernel("BatchMatMul", "wasm");
  tf.registerKernel({ ...product, kernelFunc: untransposed(product.kernelFunc, transpose.kernelFunc) });
}
