/** Pictures as numbers: no canvas, no page. */

/** 0 is paper, 1 is ink; row by row. */
export interface Grey {
  width: number;
  height: number;
  values: Float32Array;
}

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Fainter than this is paper: pictures of paper are never quite white. */
const FAINT = 0.15;
/** Lighter borders than this are those of dark things on something light. */
const LIGHT = 0.5;

/** How light each pixel is, or how dark, from colours of a canvas; what is transparent is paper. */
export function greyOf(rgba: Uint8ClampedArray, width: number, height: number, inverted: boolean): Grey {
  const values = new Float32Array(width * height);
  for (let i = 0; i < values.length; i++) {
    const light = (0.299 * rgba[4 * i]! + 0.587 * rgba[4 * i + 1]! + 0.114 * rgba[4 * i + 2]!) / 255;
    values[i] = (inverted ? 1 - light : light) * (rgba[4 * i + 3]! / 255);
  }
  return { width, height, values };
}

/** Whether what stands on the border is light, so that what is drawn is probably dark. */
export function hasLightBorder({ width, height, values }: Grey): boolean {
  let sum = 0;
  for (let x = 0; x < width; x++) sum += values[x]! + values[(height - 1) * width + x]!;
  for (let y = 0; y < height; y++) sum += values[y * width]! + values[y * width + width - 1]!;
  return sum / (2 * (width + height)) > LIGHT;
}

/** Stretched so that the palest is paper and the darkest ink: photographs are neither white nor black. */
export function stretched(grey: Grey): Grey {
  const sorted = grey.values.slice().sort();
  const low = sorted[Math.floor(sorted.length * 0.5)]!;
  const high = sorted[Math.floor(sorted.length * 0.995)]!;
  if (high - low < FAINT) return grey;
  return { ...grey, values: grey.values.map((value) => Math.min(Math.max((value - low) / (high - low), 0), 1)) };
}

/** The smallest box with all ink in it; null if there is none. In pixels; right and bottom are outside. */
export function inkBox({ width, height, values }: Grey): Box | null {
  const box = { left: width, top: height, right: 0, bottom: 0 };
  for (let i = 0; i < values.length; i++) {
    if (values[i]! < FAINT) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    box.left = Math.min(box.left, x);
    box.right = Math.max(box.right, x + 1);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y + 1);
  }
  return box.right > 0 ? box : null;
}

/** Where the ink would be balanced; the middle if there is none. */
export function centreOfMass({ width, height, values }: Grey): { x: number; y: number } {
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    mass += values[i]!;
    x += values[i]! * ((i % width) + 0.5);
    y += values[i]! * (Math.floor(i / width) + 0.5);
  }
  return mass > 0 ? { x: x / mass, y: y / mass } : { x: width / 2, y: height / 2 };
}

/** How much of it is ink. */
export function share({ values }: Grey): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Each `factor` × `factor` pixels as one, their mean. */
export function shrunk({ width, height, values }: Grey, factor: number): Grey {
  const small = { width: width / factor, height: height / factor, values: new Float32Array(values.length / factor ** 2) };
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / width / factor) * small.width + Math.floor((i % width) / factor);
    small.values[at]! += values[i]! / factor ** 2;
  }
  return small;
}

/** Colours of a canvas, each `factor` × `factor` pixels as one, as 0 to 1, three for a pixel. */
export function shrunkColours(rgba: Uint8ClampedArray, width: number, factor: number): Float32Array {
  const small = new Float32Array((3 * rgba.length) / 4 / factor ** 2);
  for (let i = 0; i < rgba.length / 4; i++) {
    const at = Math.floor(i / width / factor) * (width / factor) + Math.floor((i % width) / factor);
    for (let colour = 0; colour < 3; colour++) small[3 * at + colour]! += rgba[4 * i + colour]! / 255 / factor ** 2;
  }
  return small;
}
