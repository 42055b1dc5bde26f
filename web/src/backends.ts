/**
 * Which backend trains this model fastest on this machine: found by training it, a few real steps on each.
 *
 * No fixed order is right: a GPU wins on big convolutions and loses on small dense nets. Software renderers that pose as
 * a GPU are 10 to 50 times slower than wasm and are not tried.
 */

import { BadSpec, NoBackend } from "./errors";
import { registerWasmKernels } from "./kernels";
import type { BackendName, Measured } from "./messages";
import type { Spec } from "./protocol";
import { loadWebgl, loadWebgpu, tf } from "./tf";

const STEPS = 4;
const PATIENCE_MS = 4000;
const SOFTWARE = /swiftshader|llvmpipe|softpipe|software|basic render/i;

/** Makes one training step on the current backend; `dispose` gives back what it holds. */
export interface Stepper {
  step(): Promise<unknown>;
  dispose(): void;
}

export interface Trial {
  spec: Spec;
  /** Examples in one step. */
  batch: number;
  /** Builds the model on the backend that is current when it is called. */
  build(): Promise<Stepper>;
  now(): number;
  /** Try this one alone. */
  only: BackendName | null;
}

export interface Choice {
  name: BackendName;
  imagesPerSecond: number;
  measured: Measured[];
}

/**
 * Makes the fastest backend the current one.
 *
 * @throws NoBackend when none can train the model in a useful time.
 */
export async function chooseBackend(trial: Trial): Promise<Choice> {
  const candidates: BackendName[] = trial.only ? [trial.only] : ["webgpu", "webgl", "wasm"];
  const measured: Measured[] = [];
  for (const name of candidates) measured.push(await measure(name, trial));
  let best = fastest(measured);
  if (!best && trial.only === null && !convolves(trial.spec)) {
    measured.push(await measure("cpu", trial));
    best = fastest(measured);
  }
  if (!best) {
    const reasons = measured.map((one) => `${one.name}: ${"refused" in one ? one.refused : "ok"}`);
    throw new NoBackend(`no backend can train this model (${reasons.join("; ")})`);
  }
  await tf.setBackend(best.name);
  return { ...best, measured };
}

function fastest(measured: readonly Measured[]): { name: BackendName; imagesPerSecond: number } | undefined {
  const able = measured.filter((one) => "imagesPerSecond" in one);
  return able.sort((a, b) => b.imagesPerSecond - a.imagesPerSecond)[0];
}

// On the plain cpu backend one step of a small convolutional net takes half a minute.
function convolves(spec: Spec): boolean {
  return /"class_name":"[A-Za-z0-9]*Conv/.test(JSON.stringify(spec.modelTopology));
}

async function measure(name: BackendName, trial: Trial): Promise<Measured> {
  try {
    const forced = trial.only !== null;
    await use(name, forced);
    return { name, imagesPerSecond: await speed(trial) };
  } catch (error) {
    // A spec that contradicts itself is no backend's fault.
    if (error instanceof BadSpec) throw error;
    return { name, refused: reasonOf(error) };
  }
}

function reasonOf(error: unknown): string {
  // What JavaScript says when a program stumbles is for its authors.
  if (error instanceof TypeError) return "it cannot build or train the model";
  const message = error instanceof Error ? error.message : String((error as { message?: unknown }).message ?? error);
  // TF.js goes on for paragraphs.
  return message.split(/\.\s/, 1)[0]!;
}

async function speed(trial: Trial): Promise<number> {
  const stepper = await trial.build();
  try {
    // The first step compiles shaders and grows the heap.
    await stepper.step();
    const start = trial.now();
    let steps = 0;
    while (steps < STEPS && (steps === 0 || trial.now() - start < PATIENCE_MS)) {
      await stepper.step();
      steps++;
    }
    return (1000 * steps * trial.batch) / Math.max(trial.now() - start, 0.01);
  } finally {
    stepper.dispose();
  }
}

/** The backend that training has chosen, or one that serves for predicting. Gives its name. */
export async function startForPredicting(): Promise<string> {
  const { backendName } = tf.engine() as { backendName?: string };
  if (!backendName) await use("wasm", false).catch(() => use("cpu", false));
  return tf.getBackend();
}

async function use(name: BackendName, forced: boolean): Promise<void> {
  if (name === "webgpu") await prepareWebgpu();
  if (name === "webgl") await prepareWebgl(forced);
  if (name === "wasm") registerWasmKernels();
  if (!(await tf.setBackend(name))) throw new Error("it did not start");
  await tf.ready();
}

async function prepareWebgpu(): Promise<void> {
  const { navigator } = globalThis as { navigator?: { gpu?: { requestAdapter(): Promise<GpuAdapter | null> } } };
  const adapter = await navigator?.gpu?.requestAdapter();
  if (!adapter) throw new Error("no adapter");
  if (adapter.isFallbackAdapter ?? adapter.info?.isFallbackAdapter) throw new Error("a software adapter");
  await loadWebgpu();
}

interface GpuAdapter {
  isFallbackAdapter?: boolean;
  info?: { isFallbackAdapter?: boolean };
}

async function prepareWebgl(forced: boolean): Promise<void> {
  const renderer = rendererName();
  if (renderer === null) throw new Error("no WebGL 2 here");
  if (SOFTWARE.test(renderer) && !forced) throw new Error(`a software renderer (${renderer})`);
  await loadWebgl();
}

function rendererName(): string | null {
  if (typeof OffscreenCanvas === "undefined") return null;
  const gl = new OffscreenCanvas(1, 1).getContext("webgl2");
  if (!gl) return null;
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
}
