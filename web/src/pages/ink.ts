/** What is on a drawing pad, and how it becomes a picture for a model: the only module that paints on canvases. */

import { centreOfMass, greyOf, hasLightBorder, inkBox, share, shrunk, shrunkColours, stretched, type Box, type Grey } from "./grey";
import type { Picture } from "./kinds";

/** Points are in pads: 0 to 1 from left to right and from top to bottom. */
export interface Point {
  x: number;
  y: number;
}
export type Stroke = Point[];

/**
 * How drawings are placed. `mnist`: in a box of 20 of 28, balanced in the middle. `fill`: from edge to edge, in the middle.
 * `drawn`: where they were drawn.
 */
export type Placing = "mnist" | "fill" | "drawn";

/** What a pad holds: strokes, or a picture from elsewhere. */
export interface Content {
  strokes: readonly Stroke[];
  picture: ImageBitmap | null;
  /** Dark is paper. */
  inverted: boolean;
  placing: Placing;
}

/** A pen is as wide as an eighth of the box that a drawing is put into: so are those of MNIST and of scikit-learn's digits. */
const PEN = 1 / 8;
const MNIST_BOX = 20 / 28;
/** How much of a picture of scikit-learn's digits is ink, of every digit alike: narrow ones have broader strokes. */
const FULL_INK = 0.3;
const BROADEST = 2.5;
/** And how broad such a digit is at most. */
const FULL_WIDTH = 6 / 8;
export const UNMOVED = { sx: 1, sy: 1, dx: 0, dy: 0 };
/** Each pixel is the mean of so many, along each side, that a stroke's edges are smooth. */
const FINEST = 256;

/** As the run's own pictures of digits are placed: MNIST's are 28 × 28 and have a margin, those of 8 × 8 have none. */
export function usualPlacing({ width, height }: Pick<Picture, "width" | "height">): Placing {
  if (width === 28 && height === 28) return "mnist";
  return width <= 16 && height <= 16 ? "fill" : "drawn";
}

/** How wide the pen is, as a part of the shorter side. */
export function penWidth(placing: Placing): number {
  return PEN * (placing === "fill" ? 1 : MNIST_BOX);
}

/** What the model gets, of 0 (paper, black) to 1 (ink, white); null if the pad is empty. */
export function pixelsOf(content: Content, picture: Picture): Float32Array | null {
  if (content.strokes.length === 0 && !content.picture) return null;
  const factor = Math.max(1, Math.floor(FINEST / Math.max(picture.width, picture.height)));
  const large = { width: picture.width * factor, height: picture.height * factor };
  if (picture.channels === 3) return coloured(content, large, factor);
  const drawn = content.picture ? photographed(content, large) : stroked(content, large);
  return drawn && shrunk(drawn, factor).values;
}

/** What the model gets, in its own numbers; null if the pad is empty. */
export function valuesOf(content: Content, picture: Picture): Float32Array | null {
  const { low, high, snap } = picture.scale;
  return pixelsOf(content, picture)?.map((value) => snap(low + value * (high - low))) ?? null;
}

interface Size {
  width: number;
  height: number;
}

/** From a point of the source to one of the target: times the first, plus the second. */
interface Move {
  sx: number;
  sy: number;
  dx: number;
  dy: number;
}

function canvasOf({ width, height }: Size): CanvasRenderingContext2D {
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  return canvas.getContext("2d", { willReadFrequently: true })!;
}

function coloured({ picture, strokes, placing }: Content, size: Size, factor: number): Float32Array {
  const context = canvasOf(size);
  if (picture) paintCovering(context, picture, size);
  else paintStrokes(context, strokes, UNMOVED, penWidth(placing) * Math.min(size.width, size.height), size);
  return shrunkColours(context.getImageData(0, 0, size.width, size.height).data, size.width, factor);
}

function paintCovering(context: CanvasRenderingContext2D, picture: ImageBitmap, { width, height }: Size): void {
  const scale = Math.max(width / picture.width, height / picture.height);
  const [wide, high] = [scale * picture.width, scale * picture.height];
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, (width - wide) / 2, (height - high) / 2, wide, high);
}

function stroked({ strokes, placing }: Content, size: Size): Grey | null {
  const shorter = Math.min(size.width, size.height);
  const paintWith = (pen: number) => (move: Move) => {
    const context = canvasOf(size);
    paintStrokes(context, strokes, move, pen, size);
    return greyOf(context.getImageData(0, 0, size.width, size.height).data, size.width, size.height, false);
  };
  const pen = penWidth(placing) * shorter;
  if (placing === "drawn") return paintWith(pen)(UNMOVED);
  const points = strokes.flat();
  const [xs, ys] = [points.map(({ x }) => x * size.width), points.map(({ y }) => y * size.height)];
  const box = { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
  const put = (width: number) => placed(paintWith(width), moveOf(box, placing, size, width), placing, size);
  if (placing === "mnist") return put(pen);
  return put(pen * Math.min(Math.max(FULL_INK / share(put(pen)), 1), BROADEST));
}

/** Strokes in white on what is there. */
export function paintStrokes(context: CanvasRenderingContext2D, strokes: readonly Stroke[], { sx, sy, dx, dy }: Move, pen: number, size: Size, colour = "#fff"): void {
  Object.assign(context, { lineWidth: pen, lineCap: "round", lineJoin: "round", strokeStyle: colour });
  for (const stroke of strokes) {
    context.beginPath();
    stroke.forEach(({ x, y }, i) => {
      const [left, top] = [sx * x * size.width + dx, sy * y * size.height + dy];
      // A line of no length is a dot, where caps are round.
      if (i === 0) context.moveTo(left, top);
      context.lineTo(left, top);
    });
    context.stroke();
  }
}

function photographed({ picture, inverted, placing }: Content, size: Size): Grey | null {
  const source = greyPicture(picture!, inverted);
  const paint = ({ sx, sy, dx, dy }: Move) => {
    const context = canvasOf(size);
    context.imageSmoothingQuality = "high";
    context.drawImage(canvasWith(source), dx, dy, sx * source.width, sy * source.height);
    return greyOf(context.getImageData(0, 0, size.width, size.height).data, size.width, size.height, false);
  };
  const whole = { left: 0, top: 0, right: source.width, bottom: source.height };
  const box = placing === "drawn" ? whole : (inkBox(source) ?? whole);
  return placed(paint, moveOf(box, placing, size, 0), placing, size);
}

/** A picture from elsewhere, not larger than is useful, light on dark. */
function greyPicture(picture: ImageBitmap, inverted: boolean): Grey {
  const scale = Math.min(1, (2 * FINEST) / Math.max(picture.width, picture.height));
  const size = { width: Math.max(1, Math.round(scale * picture.width)), height: Math.max(1, Math.round(scale * picture.height)) };
  const context = canvasOf(size);
  context.imageSmoothingQuality = "high";
  context.fillStyle = inverted ? "#fff" : "#000"; // what shows where it is transparent
  context.fillRect(0, 0, size.width, size.height);
  context.drawImage(picture, 0, 0, size.width, size.height);
  const grey = greyOf(context.getImageData(0, 0, size.width, size.height).data, size.width, size.height, inverted);
  return inverted ? stretched(grey) : grey;
}

/** Whether a picture is dark on something light. */
export function looksInverted(picture: ImageBitmap): boolean {
  const size = { width: 64, height: 64 };
  const context = canvasOf(size);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, 64, 64);
  context.drawImage(picture, 0, 0, 64, 64);
  return hasLightBorder(greyOf(context.getImageData(0, 0, 64, 64).data, 64, 64, false));
}

function canvasWith({ width, height, values }: Grey): HTMLCanvasElement {
  const context = canvasOf({ width, height });
  const image = context.createImageData(width, height);
  values.forEach((value, i) => image.data.set([255 * value, 255 * value, 255 * value, 255], 4 * i));
  context.putImageData(image, 0, 0);
  return context.canvas;
}

/** How large what is drawn becomes at most; null: as large as there is room for. */
function roomOf(placing: Placing, { width, height }: Size): Size | null {
  const shorter = Math.min(width, height);
  if (placing === "mnist") return { width: MNIST_BOX * shorter, height: MNIST_BOX * shorter };
  return placing === "fill" ? { width: FULL_WIDTH * shorter, height: shorter } : null;
}

/** Puts a box into the middle. Digits that go from edge to edge have the whole height; those too broad then are squeezed. */
function moveOf({ left, top, right, bottom }: Box, placing: Placing, size: Size, pen: number): Move {
  const [wide, high] = [right - left, bottom - top];
  const room = roomOf(placing, size);
  const least = size.height / 16; // a dot is not made a blot of
  const inner = room ? { width: room.width - pen, height: room.height - pen } : size;
  const fit = Math.min(inner.width / wide, inner.height / Math.max(high, least));
  const sy = placing === "fill" ? inner.height / Math.max(high, wide / 2, least) : room ? Math.min(fit, inner.width / least) : fit;
  const sx = placing === "fill" ? Math.min(sy, inner.width / wide) : sy;
  return { sx, sy, dx: size.width / 2 - (sx * (left + right)) / 2, dy: size.height / 2 - (sy * (top + bottom)) / 2 };
}

function placed(paint: (move: Move) => Grey, move: Move, placing: Placing, { width, height }: Size): Grey {
  const grey = paint(move);
  if (placing === "drawn") return grey;
  const { x, y } = centreOfMass(grey);
  const dy = placing === "mnist" ? height / 2 - y : 0;
  return paint({ ...move, dx: move.dx + width / 2 - x, dy: move.dy + dy });
}
