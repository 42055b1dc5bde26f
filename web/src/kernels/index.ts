/** What the wasm backend of TensorFlow.js 4.22.0 lacks for training, or does slowly; registered once. */

import { tf, type KernelFunc, type Tensor4D, type WasmHeap } from "../tf";
import {
  conv2dFilterGradient,
  conv2dInputGradient,
  depthwiseFilterGradient,
  depthwiseInputGradient,
  isInputGradientFaster,
} from "./conv";
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
    segmentSum(inputs["x"]!, inputs["segmentIds"]!, attrs!["numSegments"] as number, backend as unknown as WasmHeap),
};

/** What is there, and is replaced by something faster. */
const faster: Record<string, (shipped: KernelFunc) => KernelFunc> = {
  BatchMatMul: (shipped) => untransposed(shipped, tf.getKernel("Transpose", "wasm").kernelFunc),
  Conv2DBackpropInput: (shipped) => (call) => {
    const [dy, filter] = [call.inputs["dy"] as Tensor4D, call.inputs["filter"] as Tensor4D];
    return isInputGradientFaster(filter, call.attrs!) ? conv2dInputGradient(dy, filter, call.attrs!) : shipped(call);
  },
};

let registered = false;

/** Registers the missing gradients and the faster kernels; safe to call again. */
export function registerWasmKernels(): void {
  if (registered) return;
  registered = true;
  for (const [kernelName, kernelFunc] of Object.entries(missing)) {
    tf.registerKernel({ kernelName, backendName: "wasm", kernelFunc });
  }
  for (const [kernelName, replace] of Object.entries(faster)) {
    const shipped = tf.getKernel(kernelName, "wasm");
    tf.unregisterKernel(kernelName, "wasm");
    tf.registerKernel({ ...shipped, kernelFunc: replace(shipped.kernelFunc) });
  }
}
