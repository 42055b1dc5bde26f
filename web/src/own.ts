/** A visitor's own examples as a shard that never leaves this machine. */

import { InvalidData } from "./errors";
import { examplesIn } from "./fit";
import type { Numbers, OwnExamples } from "./messages";
import type { LossName, Spec, TensorSpec, Training } from "./protocol";
import { mulberry32 } from "./shuffle";
import type { Shard } from "./trainer";
import type { Values } from "./wire";

/** What one task trains on. */
export interface Portion {
  shard: Shard;
  seed: number;
  offset: number;
  training: Training;
}

export class Own {
  private shard: { spec: Spec; shard: Shard } | null = null;
  private readonly random: () => number;
  private seed = 0;
  private offset = 0;

  /** `random` is in [0, 1). */
  constructor(
    private readonly examples: OwnExamples,
    random: number,
  ) {
    this.random = mulberry32(random * 2 ** 32);
  }

  /** The next examples in line; all of them come once before any comes again. @throws InvalidData */
  next(spec: Spec, training: Training): Portion {
    if (this.shard?.spec !== spec) this.shard = { spec, shard: shardOf(spec, training.loss, this.examples) };
    const { shard } = this.shard;
    // A batch of more than there are would train on some of them twice, and tell the server of examples that are none.
    const batch_size = Math.min(training.batch_size, shard.examples);
    if (this.offset === 0) this.seed = Math.floor(this.random() * 2 ** 32);
    const { seed, offset } = this;
    const after = offset + training.local_steps * batch_size;
    this.offset = after < shard.examples ? after : 0;
    return { shard, seed, offset, training: { ...training, batch_size } };
  }
}

/** Examples as a shard. @throws InvalidData */
export function shardOf(spec: Spec, loss: LossName, { inputs, targets }: OwnExamples): Shard {
  // Kept as they are: packed as the owner's are, values between the owner's would be rounded to them.
  const plain = (tensor: TensorSpec): TensorSpec => ({ name: tensor.name, shape: tensor.shape, dtype: tensor.dtype });
  const specs = [...spec.data.inputs, ...spec.data.targets].map(plain);
  const examples = examplesIn(spec.data, inputs, targets);
  const values = [...inputs, ...targets];
  const parts = specs.map((tensor, i) => typed(tensor, values[i]!));
  if (loss === "sparseCategoricalCrossentropy") checkClasses(specs.slice(inputs.length), parts.slice(inputs.length));
  return { body: joined(parts), examples, specs };
}

/** Class indices. `widths`: how many classes each target has, where that is known. @throws InvalidData */
export function checkClasses(specs: readonly TensorSpec[], values: readonly ArrayLike<number>[], widths: readonly number[] = []): void {
  specs.forEach(({ name }, i) => {
    const most = widths[i] ?? Infinity;
    const bad = Array.from(values[i]!).find((value) => !Number.isInteger(value) || value < 0 || value >= most);
    if (bad !== undefined) throw new InvalidData(name, `${name} has the class ${bad}, where classes are whole numbers from 0${most < Infinity ? ` to ${most - 1}` : ""}`);
  });
}

/** Numbers that a type can hold. */
const FITTING: Record<TensorSpec["dtype"], (value: number) => boolean> = {
  float32: (value) => Number.isFinite(Math.fround(value)),
  int32: (value) => (value | 0) === value,
  bool: (value) => Number.isFinite(value),
};

/** Numbers in a tensor's own type. @throws InvalidData */
export function typed({ name, dtype }: TensorSpec, values: Numbers): Values {
  const fits = FITTING[dtype];
  for (let i = 0; i < values.length; i++) {
    if (!fits(values[i]!)) throw new InvalidData(name, `number ${i} of ${name} is ${values[i]!}, which is no ${dtype}`);
  }
  if (dtype === "float32") return Float32Array.from(values);
  return dtype === "int32" ? Int32Array.from(values) : Uint8Array.from(values, (value) => (value === 0 ? 0 : 1));
}

function joined(parts: readonly Values[]): ArrayBuffer {
  const body = new Uint8Array(parts.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let start = 0;
  for (const part of parts) {
    body.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), start);
    start += part.byteLength;
  }
  return body.buffer;
}
