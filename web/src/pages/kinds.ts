/** What the tensors of a run are to a person: pictures, rows of numbers, classes. */

import type { RunData, TensorSpec, Training } from "../index";

export type LossName = Training["loss"];

/** A picture of one shade (drawn) or of three colours, row by row. */
export interface Picture {
  kind: "picture";
  name: string;
  width: number;
  height: number;
  channels: 1 | 3;
  scale: Scale;
}

export interface Row {
  kind: "row";
  name: string;
  size: number;
  /** Whole numbers only. */
  whole: boolean;
}

export type Input = Picture | Row;

/** What paper and ink, or black and white, are to the model. */
export interface Scale {
  low: number;
  high: number;
  /** The nearest number that the owner's examples could have. */
  snap(value: number): number;
}

/** Smaller ones are taken for tables of numbers. */
const LEAST_SIDE = 8;

/** A tensor as something to draw, or to type. */
export function inputOf(tensor: TensorSpec): Input {
  const sides = tensor.dtype === "float32" ? pictureSides(tensor) : null;
  if (!sides) {
    const size = tensor.shape.reduce((product, length) => product * length, 1);
    return { kind: "row", name: tensor.name, size, whole: tensor.dtype !== "float32" };
  }
  const [height, width, channels] = sides;
  return { kind: "picture", name: tensor.name, width, height, channels, scale: scaleOf(tensor) };
}

type Sides = [height: number, width: number, channels: 1 | 3];

/** A table without colours, or a flat row, is a picture only if it is square and stored as pictures are. */
function pictureSides({ shape, quantization }: TensorSpec): Sides | null {
  const [first = 0, second = 0, third] = shape;
  const pixels = quantization?.dtype === "uint8";
  const large = first >= LEAST_SIDE && second >= LEAST_SIDE;
  if (shape.length === 3 && large && (third === 1 || third === 3)) return [first, second, third];
  if (shape.length === 2 && large && (pixels || first === second)) return [first, second, 1];
  const side = Math.sqrt(first);
  return shape.length === 1 && pixels && Number.isInteger(side) && side >= LEAST_SIDE ? [side, side, 1] : null;
}

/**
 * The range of the owner's pictures, from how they are stored; 0 to 1 where that says nothing. What is stored from 0 up in
 * steps below 1 is made to end at 1, however far the steps would go: 16 steps of 1/16, 255 of 1/255.
 */
function scaleOf({ quantization }: TensorSpec): Scale {
  if (!quantization || quantization.dtype === "float16") return { low: 0, high: 1, snap: Math.fround };
  const { min = 0, scale = 1 } = quantization;
  const steps = quantization.dtype === "uint8" ? 255 : 65535;
  const top = min + steps * scale;
  const snap = (value: number) => Math.fround(Math.fround(Math.min(Math.max(Math.round((value - min) / scale), 0), steps) * scale) + min);
  return { low: min, high: min === 0 && scale < 1 ? Math.min(top, 1) : top, snap };
}

/**
 * What a target, and the model's output for it, means. `classes`: one of them; `each`: any of them, each by itself; `yes`: one
 * number is how sure the second class is; `numbers`: the numbers themselves.
 */
export interface Target {
  name: string;
  meaning: "classes" | "each" | "yes" | "numbers";
  /** Numbers in an example. */
  size: number;
  /** The target is the number of the class, not one number for each class. */
  index: boolean;
  labels: readonly string[] | null;
}

/** How many of the model's outputs there are is told where it is known: class numbers alone do not say. */
export function targetsOf({ targets, labels }: RunData, loss: LossName): Target[] {
  return targets.map(({ name, shape }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const index = loss === "sparseCategoricalCrossentropy";
    const meaning = meaningOf(loss, size);
    const classes = meaning === "yes" ? 2 : size;
    return { name, meaning, size, index, labels: index || labels?.length === classes ? labels : null };
  });
}

function meaningOf(loss: LossName, size: number): Target["meaning"] {
  if (loss === "meanSquaredError") return "numbers";
  if (loss !== "binaryCrossentropy") return "classes";
  return size === 1 ? "yes" : "each";
}

/** What a class, or a number, is called. */
export function labelOf({ labels }: Pick<Target, "labels">, index: number): string {
  return labels?.[index] ?? String(index);
}
