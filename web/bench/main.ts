/**
 * How much of the speed of a bare TF.js loop is left inside the client: `await webnnBench()`.
 *
 * Gives, for the digits MLP and the MNIST CNN, images per second of both and their ratio (medians of alternating
 * repetitions), all in one Web Worker on one backend.
 */

import type { BenchOptions, BenchResult } from "./measure";

declare global {
  interface Window {
    webnnBench(options?: Partial<BenchOptions>): Promise<BenchResult>;
  }
}

window.webnnBench = (options = {}) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
    worker.onmessage = ({ data }: MessageEvent<{ result: BenchResult } | { failed: string }>) => {
      worker.terminate();
      if ("result" in data) resolve(data.result);
      else reject(new Error(data.failed));
    };
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(options);
  });

document.getElementById("run")?.addEventListener("click", () => {
  void window.webnnBench().then((result) => {
    document.getElementById("result")!.textContent = JSON.stringify(result, null, 2);
  });
});
