import { defineConfig } from "vite";

const here = (path: string) => new URL(path, import.meta.url).pathname;

// The wasm binaries keep their names: the client for Node looks for them beside itself.
const assetFileNames = (asset: { names: string[] }) =>
  asset.names.some((name) => name.endsWith(".wasm")) ? "assets/[name][extname]" : "assets/[name]-[hash][extname]";

// The library keeps its name, too: other pages import it from here.
const entryFileNames = ({ name }: { name: string }) => (name === "client" ? "client.js" : "assets/[name]-[hash].js");

export default defineConfig({
  base: "./",
  worker: { format: "es", rolldownOptions: { output: { assetFileNames } } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      input: { index: here("index.html"), try: here("try.html"), watch: here("watch.html"), client: here("src/index.ts") },
      preserveEntrySignatures: "exports-only",
      output: { assetFileNames, entryFileNames },
    },
  },
});
