/** Predicts with a run's newest weights, beside whatever else the worker does. */

import type { Api } from "./api";
import { startForPredicting } from "./backends";
import type { Clock } from "./clock";
import { examplesIn } from "./fit";
import { buildInference, type Inference } from "./inference";
import { typed } from "./own";
import type { Numbers, Prediction } from "./messages";
import type { Spec } from "./protocol";
import type { BlobCache } from "./shards";
import { readSpec } from "./spec";
import type { Turns } from "./turns";
import { decodeCheckpoint } from "./wire";

/** Not asked for newer weights more often than this, even where there are some. */
const SHORTEST_MS = 3000;
/** Asked for so often where nobody says whether there are. */
const LONGEST_MS = 60_000;

export interface Predicting {
  api: Pick<Api, "getModel" | "download">;
  blobs: BlobCache;
  clock: Clock;
  run: string;
  turns: Turns;
  /** Weights were loaded. */
  onModel(version: number): void;
}

interface Loaded {
  version: number;
  hash: string;
  spec: Spec;
  vector: Float32Array;
}

interface Built {
  spec: Spec;
  backend: string;
  /** Of the weights that are in it. */
  version: number;
  model: Inference;
}

export class Predictor {
  private loaded: Loaded | null = null;
  private built: Built | null = null;
  private asking: Promise<void> | null = null;
  private askedAt = -Infinity;
  private newest = 0;

  constructor(private readonly around: Predicting) {}

  /** There are weights as new as this. */
  heard(version: number): void {
    this.newest = Math.max(this.newest, version);
  }

  /** @throws InvalidData; where it has no weights yet, whatever asking for them throws */
  async predict(inputs: readonly Numbers[]): Promise<Prediction> {
    const loaded = await this.current();
    const { spec, version } = loaded;
    // Whoever asks again and again lets all else in, the training's network too.
    await this.around.clock.breathe();
    const examples = examplesIn(spec.data, inputs);
    const values = spec.data.inputs.map((tensor, i) => typed(tensor, inputs[i]!));
    return this.around.turns.alone(async () => {
      try {
        return { outputs: await (await this.model(loaded)).predict(values, examples), version };
      } catch (error) {
        this.built = null; // a lost GPU: the next one begins anew
        throw error;
      }
    });
  }

  /** The newest weights that are known of, as far as they can be had. */
  private async current(): Promise<Loaded> {
    const { clock } = this.around;
    const known = this.loaded;
    const pause = known && this.newest > known.version ? SHORTEST_MS : LONGEST_MS;
    if (!known || clock.now() - this.askedAt >= pause) {
      this.asking ??= this.ask().finally(() => (this.asking = null));
      await this.asking.catch((error: unknown) => {
        if (!known) throw error; // else older weights are better than none
      });
    }
    return this.loaded!;
  }

  private async ask(): Promise<void> {
    const { api, blobs, clock, run, onModel } = this.around;
    this.askedAt = clock.now();
    const { version, model, checkpoint } = await api.getModel(run);
    const known = this.loaded;
    if (known?.version === version && known.hash === model.sha256) return;
    const [spec, body] = await Promise.all([known?.hash === model.sha256 ? known.spec : this.read(blobs.get(model)), api.download(checkpoint)]);
    this.loaded = { version, hash: model.sha256, spec, vector: decodeCheckpoint(spec.weightsManifest[0]!.weights, body) };
    this.heard(version);
    onModel(version);
  }

  private async read(body: Promise<ArrayBuffer>): Promise<Spec> {
    return readSpec(await body);
  }

  private async model({ spec, version, vector }: Loaded): Promise<Inference> {
    const backend = await startForPredicting();
    if (this.built?.spec !== spec || this.built.backend !== backend) {
      this.built?.model.dispose();
      this.built = null;
      this.built = { spec, backend, version: NaN, model: await buildInference(spec) };
    }
    if (this.built.version !== version) this.built.model.setWeights(vector);
    this.built.version = version;
    return this.built.model;
  }
}
