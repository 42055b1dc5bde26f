/**
 * The same client without a browser: `node node-client.mjs --api URL --run NAME [--power N] [--backend wasm|cpu]`.
 *
 * Prints one JSON object per event. Exits with 0 when the run is over or on SIGTERM and SIGINT, with 1 when it cannot
 * take part.
 */

import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { assemble } from "./assemble";
import type { BackendName, WorkerEvent } from "./messages";
import { setWasmPaths } from "./tf";

function orderFrom(args: string[]): { api: string; run: string; power: number; backend: BackendName } {
  const { values } = parseArgs({
    args,
    options: {
      api: { type: "string" },
      run: { type: "string" },
      power: { type: "string", default: "100" },
      backend: { type: "string", default: "wasm" },
    },
  });
  const power = Number(values.power);
  if (!values.api || !values.run) throw new Error("--api URL and --run NAME are needed");
  if (!(power >= 1 && power <= 100)) throw new Error("--power is a number from 1 to 100");
  if (values.backend !== "wasm" && values.backend !== "cpu") throw new Error("--backend is wasm or cpu");
  return { api: values.api, run: values.run, power, backend: values.backend };
}

async function main(): Promise<number> {
  const outcome = { failed: false };
  const onEvent = (event: WorkerEvent) => {
    if (event.type === "error" && event.fatal) outcome.failed = true;
    process.stdout.write(`${JSON.stringify(event)}\n`);
  };
  // Read from disk by the library itself, which knows Node.
  setWasmPaths(fileURLToPath(new URL("./assets/", import.meta.url)));
  const { api, run, ...order } = orderFrom(process.argv.slice(2));
  const seat = assemble({ api, run, shelf: null, states: null, onEvent });
  const client = seat.contribute({ ...order, data: null });
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => void client.stop());
  client.start();
  await client.finished;
  return outcome.failed ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
