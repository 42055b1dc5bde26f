import { defineConfig } from "vite";

// The wasm backend was compiled for CommonJS and looks for its surroundings by these names.
const banner = [
  'import { createRequire as $createRequire } from "node:module";',
  'import { fileURLToPath as $fileURLToPath } from "node:url";',
  "const require = $createRequire(import.meta.url);",
  'const __dirname = $fileURLToPath(new URL(".", import.meta.url));',
].join("\n");

// The client for Node: one file beside the site, with everything but Node itself in it.
export default defineConfig({
  ssr: { noExternal: true },
  build: {
    ssr: "src/node.ts",
    target: "node20",
    minify: false, // Node shows the line of an error that nobody caught, and that would be all of it
    emptyOutDir: false,
    copyPublicDir: false,
    chunkSizeWarningLimit: 5000,
    rolldownOptions: { output: { entryFileNames: "node-client.mjs", codeSplitting: false, banner } },
  },
});
