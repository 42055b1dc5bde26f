import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { defineConfig, transformWithOxc, type Plugin } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// The wasm binaries keep their names: the client for Node looks for them beside itself.
const assetFileNames = (asset: { names: string[] }) =>
  asset.names.some((name) => name.endsWith(".wasm")) ? "assets/[name][extname]" : "assets/[name]-[hash][extname]";

// The library keeps its name, too: other pages import it from here.
const entryFileNames = ({ name }: { name: string }) => (name === "client" ? "client.js" : "assets/[name]-[hash].js");

// uPlot makes these two as it is loaded, for axes of time and for figures that nobody formats; no chart here has either.
// The first of them in a browser's process costs a slow phone a fifth of a second, in one go.
const UNUSED = [
  ["new Intl.NumberFormat(domEnv ? nav.language : 'en-US')", "{ format: String }"],
  ["new Intl.DateTimeFormat().resolvedOptions().timeZone", '"UTC"'],
] as const;
const lighterPlot: Plugin = {
  name: "lighter-plot",
  transform(code, id) {
    if (!id.includes("uPlot.esm")) return null;
    if (!UNUSED.every(([made]) => code.includes(made))) throw new Error("uPlot has changed: look at lighterPlot in vite.config.ts");
    return { code: UNUSED.reduce((changed, [made, instead]) => changed.replace(made, instead), code), map: null };
  },
};

// What the first frame takes with it: an image of SVG would be a document of its own, which takes a slow phone longer than the page.
const INLINE = /<!-- inline: (\S+) -->/g;
const inline: Plugin = {
  name: "inline",
  transformIndexHtml: {
    order: "pre",
    async handler(html) {
      const paths = [...html.matchAll(INLINE)].map(([, path]) => path!);
      const parts = new Map(await Promise.all(paths.map(async (path) => [path, await inlined(path)] as const)));
      return html.replaceAll(INLINE, (_, path: string) => parts.get(path)!);
    },
  },
};

async function inlined(path: string): Promise<string> {
  const text = (await readFile(here(path), "utf8")).trim();
  return path.endsWith(".ts") ? `<script>\n${(await transformWithOxc(text, path)).code.trim()}\n</script>` : text;
}

// Chromium makes all functions of such a file ready beside the page, while it loads; else the page stands still for each
// that is called for the first time. Of other files too little is called for that.
const postBanner = ({ name }: { name: string }) => (name === "chart" ? "//# allFunctionsCalledOnLoad" : "");

export default defineConfig({
  base: "./",
  plugins: [lighterPlot, inline],
  worker: { format: "es", rolldownOptions: { output: { assetFileNames } } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rolldownOptions: {
      // That the worker takes most of the build is no news.
      checks: { bundlerTimings: false },
      input: { index: here("index.html"), try: here("try.html"), watch: here("watch.html"), client: here("src/index.ts") },
      preserveEntrySignatures: "exports-only",
      output: { assetFileNames, entryFileNames, postBanner },
    },
  },
});
