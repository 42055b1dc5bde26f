/** Starts the worker's program, wherever a bundler, or whoever serves the library, has put it. */

/** A worker of the library's own program. */
export function startWorker(): Worker {
  const { Worker: real } = globalThis;
  // Bundlers know a worker when it is spelt as below, and put their own address in the place of this one. So where the program lies is
  // known to nobody but who is asked for the worker. A page may not let its `Worker` be replaced: then there is no detour.
  Reflect.set(globalThis, "Worker", takingDetours(real));
  try {
    return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  } finally {
    Reflect.set(globalThis, "Worker", real);
  }
}

function takingDetours(real: typeof Worker): typeof Worker {
  return class extends real {
    constructor(program: string | URL, options?: WorkerOptions) {
      const address = new URL(program, location.href);
      super(address.origin === location.origin ? address : detour(address, options?.type), options);
    }
  };
}

/** A program of the page's own origin, as a worker's has to be, that fetches the one at `address`. */
function detour(address: URL, type: WorkerType | undefined): string {
  const program = type === "module" ? `import ${JSON.stringify(address.href)};` : ofScript(JSON.stringify(address.href));
  return URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
}

// Webpack makes a script of the worker, unless it is told otherwise, which looks for its other files beside where the worker is from.
const ofScript = (address: string) => `Object.defineProperty(self, "location", { value: new URL(${address}) }); importScripts(${address});`;
