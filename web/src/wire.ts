/**
 * Bytes to numbers and back, as `docs/openapi.yaml` says under "Bytes": tensors one after another, C order,
 * little-endian, no header, no padding.
 *
 * A shard stays as small in memory as it was on the wire: a column keeps the stored integers and a table of what each
 * of them means, and only the examples of a batch are widened. (Typed arrays are little-endian wherever a browser runs.)
 */

import { BadSpec, Corrupt } from "./errors";
import { fromHalf, toHalf } from "./half";
import type { Encoding, Quantization, TensorSpec } from "./protocol";
import { sizeOf } from "./sizes";

type Stored = Float32Array | Int32Array | Uint8Array | Uint16Array;
export type Values = Float32Array | Int32Array | Uint8Array;

/** One tensor of a shard: n examples of `size` elements each. */
export interface Column {
  readonly spec: TensorSpec;
  readonly size: number;
  readonly stored: Stored;
  /** What each stored integer means; null when elements are stored as they are. */
  readonly table: Float32Array | Int32Array | null;
}

export interface Encoded {
  body: Uint8Array<ArrayBuffer>;
  quantization?: Quantization[];
}

const ELEMENT_BYTES = { float32: 4, int32: 4, bool: 1, float16: 2, uint8: 1, uint16: 2 } as const;
const LARGEST_HALF = 65504;

function storedType(spec: TensorSpec): keyof typeof ELEMENT_BYTES {
  return spec.quantization?.dtype ?? spec.dtype;
}

/** Number of elements of all tensors together. */
export function totalSize(specs: readonly TensorSpec[]): number {
  return specs.reduce((sum, spec) => sum + sizeOf(spec), 0);
}

/** Bytes of a blob with `examples` of each tensor. */
export function totalBytes(specs: readonly TensorSpec[], examples = 1): number {
  return specs.reduce((sum, spec) => sum + examples * sizeOf(spec) * ELEMENT_BYTES[storedType(spec)], 0);
}

/**
 * The columns of a shard; views on `body` where alignment allows.
 *
 * @throws Corrupt when the length does not fit.
 */
export function decodeShard(specs: readonly TensorSpec[], body: ArrayBuffer, examples: number): Column[] {
  const expected = totalBytes(specs, examples);
  if (body.byteLength !== expected) throw new Corrupt(`a shard has ${body.byteLength} bytes where ${expected} were due`);
  let start = 0;
  return specs.map((spec) => {
    const size = sizeOf(spec);
    const stored = view(storedType(spec), body, start, size * examples);
    start += stored.byteLength;
    return { spec, size, stored, table: tableOf(spec) };
  });
}

function view(type: keyof typeof ELEMENT_BYTES, body: ArrayBuffer, start: number, length: number): Stored {
  const width = ELEMENT_BYTES[type];
  const aligned = start % width === 0;
  const buffer = aligned ? body : body.slice(start, start + width * length);
  const offset = aligned ? start : 0;
  if (type === "float32") return new Float32Array(buffer, offset, length);
  if (type === "int32") return new Int32Array(buffer, offset, length);
  if (type === "uint16" || type === "float16") return new Uint16Array(buffer, offset, length);
  return new Uint8Array(buffer, offset, length);
}

function tableOf(spec: TensorSpec): Float32Array | Int32Array | null {
  const packing = spec.quantization;
  if (!packing) return null;
  const length = packing.dtype === "uint8" ? 256 : 65536;
  const scale = Math.fround(packing.scale ?? 1);
  const min = Math.fround(packing.min ?? 0);
  // Rounded to float32 after each operation, as every other reader of the format does.
  const meaning = packing.dtype === "float16" ? fromHalf : (q: number) => Math.fround(q * scale) + min;
  const table = Float32Array.from({ length }, (_, q) => meaning(q));
  return spec.dtype === "int32" ? Int32Array.from(table, roundHalfToEven) : table;
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const above = value - floor;
  if (above !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** The given examples of a column, widened to the spec's dtype, one after another. */
export function gather(column: Column, examples: ArrayLike<number>): Values {
  const { size, stored, table } = column;
  const out = emptyLike(column, examples.length * size);
  for (let row = 0; row < examples.length; row++) {
    const from = examples[row]! * size;
    if (table === null) out.set(stored.subarray(from, from + size), row * size);
    else widen(stored, table, from, out, row * size, size);
  }
  return out;
}

function emptyLike(column: Column, length: number): Values {
  if (column.spec.dtype === "float32") return new Float32Array(length);
  return column.spec.dtype === "int32" ? new Int32Array(length) : new Uint8Array(length);
}

function widen(stored: Stored, table: ArrayLike<number>, from: number, out: Values, to: number, size: number): void {
  for (let i = 0; i < size; i++) out[to + i] = table[stored[from + i]!]!;
}

/**
 * A checkpoint as one float32 vector over all weights; a view on `body`.
 *
 * @throws Corrupt when the length does not fit.
 */
export function decodeCheckpoint(specs: readonly TensorSpec[], body: ArrayBuffer): Float32Array {
  const expected = totalSize(specs) * 4;
  if (body.byteLength !== expected) {
    throw new Corrupt(`a checkpoint has ${body.byteLength} bytes where ${expected} were due`);
  }
  return new Float32Array(body);
}

/**
 * The delta of an update in the encoding the run asks for. All values must be finite. A float32 body is a view on `delta`.
 *
 * @throws BadSpec when the encoding is none that this page knows.
 */
export function encodeDelta(specs: readonly TensorSpec[], delta: Float32Array, encoding: Encoding): Encoded {
  switch (encoding) {
    case "float32":
      return { body: bytesOf(delta) };
    case "float16":
      return { body: bytesOf(Uint16Array.from(delta, (value) => toHalf(saturated(value)))) };
    case "uint8":
      return quantized(specs, delta, new Uint8Array(delta.length));
    case "uint16":
      return quantized(specs, delta, new Uint16Array(delta.length));
    default:
      throw new BadSpec(`this page does not know the encoding ${String(encoding)}`);
  }
}

/**
 * The delta in an update's body, float32 over all weights.
 *
 * @throws Corrupt when it is not what its announcement says.
 */
export function decodeDelta(
  specs: readonly TensorSpec[],
  body: ArrayBuffer,
  encoding: Encoding,
  quantization: readonly Quantization[],
): Float32Array {
  const packed = encoding === "uint8" || encoding === "uint16";
  const expected = totalSize(specs) * ELEMENT_BYTES[encoding];
  if (body.byteLength !== expected) throw new Corrupt(`an update has ${body.byteLength} bytes where ${expected} were due`);
  if (quantization.length !== (packed ? specs.length : 0)) throw new Corrupt("an update is quantised in another way");
  const columns = decodeShard(specs.map((spec, i) => ({ ...spec, ...packingOf(encoding, quantization[i]) })), body, 1);
  const delta = new Float32Array(totalSize(specs));
  let start = 0;
  for (const column of columns) {
    delta.set(gather(column, [0]), start);
    start += column.size;
  }
  return delta;
}

function packingOf(encoding: Encoding, quantization: Quantization | undefined): Pick<TensorSpec, "quantization"> {
  return encoding === "float32" ? {} : { quantization: { dtype: encoding, ...quantization } };
}

/** Infinity would have the whole update rejected. */
function saturated(value: number): number {
  return Math.max(-LARGEST_HALF, Math.min(LARGEST_HALF, value));
}

function quantized(specs: readonly TensorSpec[], delta: Float32Array, out: Uint8Array | Uint16Array): Encoded {
  const top = 2 ** (8 * out.BYTES_PER_ELEMENT) - 1;
  let start = 0;
  const quantization = specs.map((spec) => {
    const end = start + sizeOf(spec);
    const q = rangeOf(delta.subarray(start, end), top);
    for (let i = start; i < end; i++) {
      out[i] = Math.max(0, Math.min(top, Math.round((delta[i]! - q.min) / q.scale)));
    }
    start = end;
    return q;
  });
  return { body: bytesOf(out), quantization };
}

/** Scale and minimum for one tensor, in float32 because the reader computes in it; 0 stays exactly 0. */
function rangeOf(values: Float32Array, top: number): Quantization {
  let low = 0;
  let high = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  const scale = Math.fround((high - low) / top) || 1;
  return { min: Math.fround(Math.round(low / scale) * scale), scale };
}

function bytesOf(array: Float32Array | Uint16Array | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(array.buffer as ArrayBuffer, array.byteOffset, array.byteLength);
}
