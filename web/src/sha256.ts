/**
 * SHA-256, by the platform or by ourselves.
 *
 * By ourselves where the platform's is missing (pages over plain http from another machine have no `crypto.subtle`) and for
 * short bodies: the platform hashes on another thread, and on a busy machine going there and back takes longer. (FIPS 180-4;
 * the smallest library for it is four times as large.)
 */

const SHORT_BYTES = 1 << 16;

/** The digest in lower-case hexadecimal. */
export async function sha256(body: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array(body);
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (!subtle || bytes.length <= SHORT_BYTES) return digest(bytes);
  return Array.from(new Uint8Array(await subtle.digest("SHA-256", bytes)), hex(2)).join("");
}

const hex = (length: number) => (value: number) => value.toString(16).padStart(length, "0");

/** The first 32 bits of the fractional part. */
const fraction = (value: number) => ((value - Math.floor(value)) * 2 ** 32) | 0;

const PRIMES = [...primes(64)];
const FIRST = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));
const ROUNDS = Int32Array.from(PRIMES, (prime) => fraction(Math.cbrt(prime)));

function* primes(count: number): Generator<number> {
  for (let n = 2, found = 0; found < count; n++) {
    let divisor = 2;
    while (n % divisor !== 0) divisor++;
    if (divisor < n) continue;
    found++;
    yield n;
  }
}

function digest(bytes: Uint8Array): string {
  const state = FIRST.slice();
  const whole = bytes.length & ~63;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let start = 0; start < whole; start += 64) mix(state, view, start);
  // What is left, a one, and the length in bits at the end of a block.
  const rest = new Uint8Array(bytes.length - whole < 56 ? 64 : 128);
  rest.set(bytes.subarray(whole));
  rest[bytes.length - whole] = 0x80;
  const last = new DataView(rest.buffer);
  last.setBigUint64(rest.length - 8, BigInt(bytes.length) * 8n);
  for (let start = 0; start < rest.length; start += 64) mix(state, last, start);
  return Array.from(new Uint32Array(state.buffer), hex(8)).join("");
}

const words = new Int32Array(64);
const turned = (word: number, bits: number) => (word >>> bits) | (word << (32 - bits));

function mix(state: Int32Array, block: DataView, start: number): void {
  for (let i = 0; i < 16; i++) words[i] = block.getInt32(start + 4 * i);
  for (let i = 16; i < 64; i++) {
    const early = words[i - 15]!;
    const late = words[i - 2]!;
    const s0 = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
    const s1 = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
    words[i] = words[i - 16]! + s0 + words[i - 7]! + s1;
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let i = 0; i < 64; i++) {
    const choice = (e & f) ^ (~e & g);
    const most = (a & b) ^ (a & c) ^ (b & c);
    const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + choice + ROUNDS[i]! + words[i]!) | 0;
    const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + most) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i]! += word));
}
