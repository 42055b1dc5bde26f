import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";

import site from "./vite.config.ts";

// The bench is built like the site, and is no part of it.
export default defineConfig({
  ...site,
  build: {
    ...site.build,
    outDir: "../build/web-bench",
    emptyOutDir: true,
    copyPublicDir: false,
    rolldownOptions: {
      ...site.build?.rolldownOptions,
      input: { bench: fileURLToPath(new URL("bench/index.html", import.meta.url)) },
    },
  },
});
