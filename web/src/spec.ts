/** Reads the spec of a run. It never changes, so one that cannot be read now never will be. */

import { tensor } from "./answers";
import { BadSpec } from "./errors";
import type { Spec } from "./protocol";
import { anything, array, object, record, Strange, type Shape } from "./shapes";

const tensors = array(tensor, 1);

const shape = object({
  modelTopology: record(anything),
  weightsManifest: array(object({ weights: tensors }), 1),
  data: object({ inputs: tensors, targets: tensors }),
}) satisfies Shape<Spec>;

/** @throws BadSpec */
export function readSpec(body: ArrayBuffer): Spec {
  try {
    return shape(JSON.parse(new TextDecoder().decode(body)), "spec");
  } catch (error) {
    const what = error instanceof Strange ? error.path : "it is not JSON";
    throw new BadSpec(`this page cannot read the run's model: ${what}`);
  }
}
