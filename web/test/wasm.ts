/** Lets the wasm backend find its binaries in node_modules. */

import { createRequire } from "node:module";
import { dirname } from "node:path";

import { registerWasmKernels } from "../src/kernels";
import { setWasmPaths, tf } from "../src/tf";

/** Makes the wasm backend, with our kernels, the current one. */
export async function useWasm(): Promise<void> {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  registerWasmKernels();
  await tf.setBackend("wasm");
  await tf.ready();
}
