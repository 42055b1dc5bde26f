import { fileURLToPath } from "node:url";

import { defineConfig, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// Preloads style sheets before code that is fetched on demand; there are none.
const PRELOAD = "\0vite/preload-helper.js";

// In the package the worker's program lies beside the library as `worker.js` and shares what it can with it. It has to be
// spelt so that the bundler of whoever uses the package knows it for a worker; ours must not.
const workerBeside: Plugin = {
  name: "worker-beside",
  enforce: "pre",
  load: (id) => (id === PRELOAD ? "export const __vitePreload = (load) => load();" : null),
  transform: (code, id) => (id.endsWith("/src/start.ts") ? code.replace('new URL("./worker.ts", import.meta.url)', "WORKER_BESIDE") : null),
  renderChunk: (code) => code.replace("WORKER_BESIDE", 'new URL("./worker.js", import.meta.url)'),
};

// Webpack takes `typeof __filename` for "string" in an ES module, and then gives it none: the worker would not start.
const noFilename: Plugin = {
  name: "no-filename",
  transform: (code, id) => (id.includes("/wasm-out/") ? code.replaceAll("typeof __filename !== 'undefined'", "false") : null),
};

// The package for browsers: the library, its worker with TF.js in it, and the wasm binaries.
export default defineConfig({
  base: "./",
  plugins: [workerBeside, noFilename],
  build: {
    target: "es2022",
    outDir: "client/dist",
    emptyOutDir: true,
    copyPublicDir: false,
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: { index: here("src/index.ts"), worker: here("src/worker.ts") },
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "[name].js", chunkFileNames: "chunks/[name].js", assetFileNames: "assets/[name][extname]" },
    },
  },
});
