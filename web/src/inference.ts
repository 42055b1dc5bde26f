/** A run's model for predicting only, on the current backend: no optimizer, dropout off, batch normalisation as trained. */

import { assign, cleanly, variablesOf } from "./model";
import type { Prediction } from "./messages";
import type { Spec } from "./protocol";
import { models, tf } from "./tf";
import type { Values } from "./wire";

const BATCH = 64;

export interface Inference {
  setWeights(vector: Float32Array): void;
  /** One array for each input, `examples` of it. */
  predict(inputs: readonly Values[], examples: number): Promise<Prediction["outputs"]>;
  dispose(): void;
}

/** @throws BadSpec */
export function buildInference(spec: Spec): Promise<Inference> {
  return cleanly(async () => {
    const layers = await models.modelFromJSON({ modelTopology: spec.modelTopology as never });
    const specs = spec.weightsManifest[0]!.weights;
    const variables = variablesOf(layers, specs);
    return {
      setWeights: (vector) => assign(variables, specs, vector),
      dispose: () => void layers.dispose(),
      predict: async (inputs, examples) => {
        const tensors = spec.data.inputs.map(({ shape, dtype }, i) => {
          // Layers want at least one axis beside the examples.
          return tf.tensor(inputs[i]!, [examples, ...(shape.length > 0 ? shape : [1])], dtype);
        });
        const found = [layers.predict(tensors, { batchSize: BATCH })].flat();
        const values = await Promise.all(found.map((tensor) => tensor.data<"float32">()));
        const outputs = found.map(({ shape }, i) => ({ name: layers.outputNames[i]!, shape, values: values[i]!.slice() }));
        tf.dispose([...tensors, ...found]);
        return outputs;
      },
    };
  });
}
