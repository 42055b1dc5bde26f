/** Runs the bench off the page, where the client runs too. */

import { setWasmPaths } from "../src/tf";
import { wasmUrls } from "../src/wasm_urls";
import { measureAll, type BenchOptions } from "./measure";

setWasmPaths(wasmUrls);

addEventListener("message", ({ data }: MessageEvent<Partial<BenchOptions>>) => {
  measureAll(data).then(
    (result) => postMessage({ result }),
    (error: unknown) => postMessage({ failed: String(error) }),
  );
});
