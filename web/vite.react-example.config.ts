import { fileURLToPath } from "node:url";

import { defineConfig, mergeConfig } from "vite";

import example from "../examples/react/vite.config.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The React example as it is, with what it would install taken from here: `npm run package` comes first.
export default defineConfig(
  mergeConfig(example, {
    root: here("../examples/react"),
    resolve: {
      alias: {
        "@webnn/client": here("client/dist/index.js"),
        "react-dom": here("node_modules/react-dom"),
        react: here("node_modules/react"),
      },
    },
    build: { outDir: here("../build/examples/react"), emptyOutDir: true, chunkSizeWarningLimit: 1500 },
  }),
);
