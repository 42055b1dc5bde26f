/**
 * SHA-256, by the platform or by a library.
 *
 * By the library where the platform's is missing (pages over plain http from another machine have no `crypto.subtle`)
 * and for short bodies: the platform hashes on another thread, and on a busy machine going there and back takes longer.
 */

import { sha256 as digest } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

const SHORT_BYTES = 1 << 18;

/** The digest in lower-case hexadecimal. */
export async function sha256(body: ArrayBuffer | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array(body);
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (!subtle || bytes.length <= SHORT_BYTES) return bytesToHex(digest(bytes));
  return bytesToHex(new Uint8Array(await subtle.digest("SHA-256", bytes)));
}
