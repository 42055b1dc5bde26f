/** Reads the spec of a run. It never changes, so one that cannot be read now never will be. */

import * as v from "valibot";

import { BadSpec } from "./errors";
import type { Spec } from "./protocol";

const tensor = v.looseObject({
  name: v.string(),
  shape: v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  dtype: v.picklist(["float32", "int32", "bool"]),
  quantization: v.exactOptional(
    v.object({
      dtype: v.picklist(["float16", "uint8", "uint16"]),
      min: v.exactOptional(v.number()),
      scale: v.exactOptional(v.number()),
    }),
  ),
});
const tensors = v.pipe(v.array(tensor), v.minLength(1));

const schema = v.looseObject({
  modelTopology: v.record(v.string(), v.unknown()),
  weightsManifest: v.pipe(v.array(v.looseObject({ weights: tensors })), v.minLength(1)),
  data: v.looseObject({ inputs: tensors, targets: tensors }),
}) satisfies v.GenericSchema<unknown, Spec>;

/** @throws BadSpec */
export function readSpec(body: ArrayBuffer): Spec {
  const found = v.safeParse(schema, parsed(body), { abortEarly: true });
  if (found.success) return found.output;
  throw new BadSpec(`this page cannot read the run's model: ${v.getDotPath(found.issues[0]) ?? "the whole"}`);
}

function parsed(body: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new BadSpec("this page cannot read the run's model: it is not JSON");
  }
}
