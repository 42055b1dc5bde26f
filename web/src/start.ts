/** Starts the worker's program, also where the library comes from another origin than the page. */

import address from "./worker.ts?worker&url";

/** A worker of the library's own program. */
export function startWorker(): Worker {
  const here = new URL(import.meta.url);
  // Spelt like this, bundlers know a worker when they see one.
  if (here.origin === location.origin) return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  return fromElsewhere(new URL(address, here));
}

// A worker's own program has to be of the page's origin, what it imports has not.
function fromElsewhere(program: URL): Worker {
  const importing = new Blob([`import ${JSON.stringify(program.href)};`], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(importing), { type: "module" });
}
