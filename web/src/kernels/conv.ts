/**
 * Gradients of convolutions for the wasm backend, which ships without them: compositions of kernels that it has.
 *
 * For a convolution y[n,p,q,o] = Σ x[n, p·s+i, q·s+j, c] · w[i,j,c,o] the gradient of the filter is
 * Σ x[n, p·s+i, q·s+j, c] · dy[n,p,q,o] over n, p, q. Read with the roles turned (channels as images, images as
 * channels, dy as the filter, the stride as a dilation) that is a convolution again, and so runs in the same fast
 * kernel as the forward pass.
 */

import { tf, type NamedAttrMap, type Tensor4D, type Tensor5D } from "../tf";

type Pair = [number, number];
type Shape4D = [number, number, number, number];
type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;
type Pad = Parameters<typeof tf.backend_util.computeConv2DInfo>[4];
type RoundingMode = Parameters<typeof tf.backend_util.computeConv2DInfo>[5];

interface ConvAttrs {
  strides: Pair | number;
  dilations?: Pair | number;
  pad: Pad;
  dimRoundingMode?: RoundingMode;
  dataFormat?: "NHWC" | "NCHW";
  filterShape?: Shape4D;
  inputShape?: Shape4D;
}

function infoOf(attrs: ConvAttrs, input: Shape4D, filter: Shape4D, depthwise: boolean): ConvInfo {
  if (attrs.dataFormat === "NCHW") throw new Error("the wasm backend convolves NHWC only");
  const { strides, dilations = 1, pad, dimRoundingMode } = attrs;
  return tf.backend_util.computeConv2DInfo(input, filter, strides, dilations, pad, dimRoundingMode, depthwise);
}

/** The input with its padding, cut to the rows and columns that the filter ever touches. */
function touched(x: Tensor4D, info: ConvInfo): Tensor4D {
  const { top, bottom, left, right } = info.padInfo;
  const padded = top + bottom + left + right > 0 ? tf.pad(x, [[0, 0], [top, bottom], [left, right], [0, 0]]) : x;
  const height = (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight;
  const width = (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth;
  if (padded.shape[1] === height && padded.shape[2] === width) return padded;
  return tf.slice(padded, [0, 0, 0, 0], [info.batchSize, height, width, info.inChannels]);
}

/** dL/dw of conv2d. */
export function conv2dFilterGradient(x: Tensor4D, dy: Tensor4D, attrs: NamedAttrMap): Tensor4D {
  return tf.tidy(() => {
    const conv = attrs as unknown as ConvAttrs;
    const info = infoOf(conv, x.shape, conv.filterShape!, false);
    const images = tf.transpose(touched(x, info), [3, 1, 2, 0]);
    const filter = tf.transpose(dy, [1, 2, 0, 3]);
    const turned = tf.conv2d(images, filter, 1, "valid", "NHWC", [info.strideHeight, info.strideWidth]);
    return tf.transpose(turned, [1, 2, 0, 3]);
  });
}

/** Strides leave gaps of zeros to multiply with; beyond this many the shipped kernel is faster (measured). */
const MOST_GAPS = 4;

/** Is `conv2dInputGradient` possible and faster than what ships? */
export function isInputGradientFaster(filter: Tensor4D, attrs: NamedAttrMap): boolean {
  const conv = attrs as unknown as ConvAttrs;
  if (conv.dataFormat === "NCHW") return false;
  const info = infoOf(conv, conv.inputShape!, filter.shape, false);
  const padsWithin = info.padInfo.top < info.filterHeight && info.padInfo.left < info.filterWidth;
  return padsWithin && info.strideHeight * info.strideWidth <= MOST_GAPS;
}

/**
 * dL/dx of conv2d: the gradient of the output, padded, under the filter turned by 180°. The kernel that ships for this
 * is slower by far, because it does not use the fast path of the forward pass.
 */
export function conv2dInputGradient(dy: Tensor4D, filter: Tensor4D, attrs: NamedAttrMap): Tensor4D {
  return tf.tidy(() => {
    const conv = attrs as unknown as ConvAttrs;
    const [, height, width] = conv.inputShape!;
    const info = infoOf(conv, conv.inputShape!, filter.shape, false);
    const pixels = spread(dy, info.strideHeight, info.strideWidth);
    const top = info.filterHeight - 1 - info.padInfo.top;
    const left = info.filterWidth - 1 - info.padInfo.left;
    const room = placed(pixels, top, left, height + info.filterHeight - 1, width + info.filterWidth - 1);
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
    return tf.conv2d(room, turned, 1, "valid");
  });
}

/** Every pixel of the touched input that tap (i, j) of the filter meets: [n, outHeight, outWidth, c]. */
function metBy(input: Tensor4D, info: ConvInfo, i: number, j: number): Tensor4D {
  const { strideHeight, strideWidth, outHeight, outWidth, batchSize, inChannels } = info;
  const [top, left] = [i * info.dilationHeight, j * info.dilationWidth];
  const end: Shape4D = [
    batchSize,
    top + (outHeight - 1) * strideHeight + 1,
    left + (outWidth - 1) * strideWidth + 1,
    inChannels,
  ];
  return tf.stridedSlice(input, [0, top, left, 0], end, [1, strideHeight, strideWidth, 1]) as Tensor4D;
}

function tapsOf(info: ConvInfo): Pair[] {
  const rows = Array.from({ length: info.filterHeight }, (_, i) => i);
  return rows.flatMap((i) => Array.from({ length: info.filterWidth }, (_, j): Pair => [i, j]));
}

/** dL/dw of depthwiseConv2d. */
export function depthwiseFilterGradient(x: Tensor4D, dy: Tensor4D, attrs: NamedAttrMap): Tensor4D {
  return tf.tidy(() => {
    const conv = attrs as unknown as ConvAttrs;
    const shape = conv.filterShape!;
    const info = infoOf(conv, x.shape, shape, true);
    const input = touched(x, info);
    const perChannel: Tensor5D = tf.reshape(dy, [info.batchSize, info.outHeight, info.outWidth, shape[2], shape[3]]);
    const taps = tapsOf(info).map(([i, j]) => {
      const met = tf.expandDims<Tensor5D>(metBy(input, info, i, j), 4);
      return tf.sum(tf.mul(met, perChannel), [0, 1, 2]);
    });
    return tf.reshape(tf.stack(taps), shape);
  });
}

/** dL/dx of depthwiseConv2d. */
export function depthwiseInputGradient(dy: Tensor4D, filter: Tensor4D, attrs: NamedAttrMap): Tensor4D {
  return tf.tidy(() => {
    const conv = attrs as unknown as ConvAttrs;
    const inputShape = conv.inputShape!;
    const info = infoOf(conv, inputShape, filter.shape, true);
    const multiplier = filter.shape[3];
    const perChannel: Tensor5D = tf.reshape(dy, [
      info.batchSize,
      info.outHeight,
      info.outWidth,
      info.inChannels,
      multiplier,
    ]);
    const { top, bottom, left, right } = info.padInfo;
    const height = inputShape[1] + top + bottom;
    const width = inputShape[2] + left + right;
    const shares = tapsOf(info).map(([i, j]) => {
      const tap = tf.reshape(tf.slice(filter, [i, j, 0, 0], [1, 1, -1, -1]), [1, 1, 1, info.inChannels, multiplier]);
      const share = spread(tf.sum<Tensor4D>(tf.mul(perChannel, tap), 4), info.strideHeight, info.strideWidth);
      return placed(share, i * info.dilationHeight, j * info.dilationWidth, height, width);
    });
    const padded = tf.addN(shares);
    return tf.slice(padded, [0, top, left, 0], inputShape);
  });
}

/** Zeros between the pixels, so that they lie a stride apart. */
function spread(pixels: Tensor4D, strideHeight: number, strideWidth: number): Tensor4D {
  if (strideHeight === 1 && strideWidth === 1) return pixels;
  const [n, height, width, channels] = pixels.shape;
  const cells = tf.reshape(pixels, [n * height, 1, width, 1, channels]);
  const gaps = tf.pad(cells, [[0, 0], [0, strideHeight - 1], [0, 0], [0, strideWidth - 1], [0, 0]]);
  const grid: Tensor4D = tf.reshape(gaps, [n, height * strideHeight, width * strideWidth, channels]);
  const size: Shape4D = [n, (height - 1) * strideHeight + 1, (width - 1) * strideWidth + 1, channels];
  return tf.slice(grid, [0, 0, 0, 0], size);
}

/** The picture at (top, left) of an otherwise empty one. */
function placed(picture: Tensor4D, top: number, left: number, height: number, width: number): Tensor4D {
  const below = height - top - picture.shape[1];
  const beside = width - left - picture.shape[2];
  return tf.pad(picture, [[0, 0], [top, below], [left, beside], [0, 0]]);
}
