/**
 * Builds the app in a folder as a developer would, with little more than what a bundler does by itself; its files are to lie at
 * `base`: `node build.js (vite | webpack) FOLDER BASE`. The page it makes is FOLDER/dist/index.html.
 *
 * webpack is here for this program alone: it is what many who embed the library use, and it starts workers in a way of its own.
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { build } from "vite";
import webpack from "webpack";

const [bundler, folder, base] = process.argv.slice(2);

const withVite = () =>
  build({ configFile: false, logLevel: "warn", root: folder, base, worker: { format: "es" }, build: { minify: false, chunkSizeWarningLimit: 2000 } });

async function withWebpack() {
  const output = { path: join(folder, "dist") };
  const made = webpack({ mode: "production", context: folder, entry: "./main.js", output, optimization: { minimize: false }, performance: false });
  const stats = await new Promise((resolve, reject) => made.run((error, found) => (error ? reject(error) : resolve(found))));
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString("errors-warnings"));
  const page = await readFile(join(folder, "index.html"), "utf8");
  await writeFile(join(folder, "dist", "index.html"), page.replace('type="module" src="./main.js"', `defer src="${base}main.js"`));
}

await { vite: withVite, webpack: withWebpack }[bundler]();
