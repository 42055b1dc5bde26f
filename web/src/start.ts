/** Starts the worker's program, also where the library comes from another origin than the page. */

import address from "./worker.ts?worker&url";

/** A worker of the library's own program. */
export function startWorker(): Worker {
  const here = import.meta.url;
  if (isElsewhere(here, location.href)) return fromElsewhere(new URL(address, here));
  // Spelt like this, bundlers know a worker when they see one.
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}

/**
 * Whether a page has to start the program of a library that lies at `library` by a detour. Webpack puts the file on the
 * machine that it ran on in the place of a module's address, and knows by itself where the worker went.
 */
export function isElsewhere(library: string, page: string): boolean {
  const { protocol, origin } = new URL(library);
  return protocol !== "file:" && origin !== new URL(page).origin;
}

// A worker's own program has to be of the page's origin, what it imports has not.
function fromElsewhere(program: URL): Worker {
  const importing = new Blob([`import ${JSON.stringify(program.href)};`], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(importing), { type: "module" });
}
