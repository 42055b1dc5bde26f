import { defineConfig } from "vite";

import node from "./vite.node.config.ts";

// The package for Node: one file, with TF.js in it.
export default defineConfig({
  ...node,
  build: {
    ...node.build,
    ssr: "src/index.node.ts",
    outDir: "client/dist",
    rolldownOptions: { ...node.build?.rolldownOptions, output: { ...output(), entryFileNames: "node.js" } },
  },
});

function output() {
  const found = node.build?.rolldownOptions?.output;
  return Array.isArray(found) ? found[0] : found;
}
