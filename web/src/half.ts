/** IEEE 754 binary16 by hand: Node 20 has no Float16Array. */

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The float32 nearest below to `value` as a binary16 pattern, ties to even; too large becomes infinity. */
export function toHalf(value: number): number {
  float[0] = value;
  const pattern = bits[0]!;
  const sign = (pattern >>> 16) & 0x8000;
  const magnitude = pattern & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  if (magnitude >= 0x38800000) {
    // Adding just under half of the dropped part, plus the bit that stays, rounds ties to even and carries into the
    // exponent by itself.
    return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  }
  return sign | subnormal(magnitude);
}

/** Below 2^-14 a half is a whole number of 2^-24: adding 0.5 makes the float unit do that rounding. */
function subnormal(magnitude: number): number {
  bits[0] = magnitude;
  float[0]! += 0.5;
  return bits[0] - 0x3f000000;
}

/** The value of a binary16 pattern. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
