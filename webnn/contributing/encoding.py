"""The delta of an update in the encoding that the run asks for: `encodeDelta` of `web/src/wire.ts`."""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from webnn.core.records import Encoding
from webnn.core.tensors import TensorSpec
from webnn.core.wire import STORED, Array, Quantization, Vector, encode_vector

LARGEST_HALF = 65504.0  # infinity would have the whole update rejected


class Encoded(Struct, frozen=True):
    """A body; for uint8 and uint16 with how each tensor is quantised."""

    body: bytes
    quantization: tuple[Quantization, ...] = ()


def encoded(specs: Sequence[TensorSpec], delta: Vector, encoding: Encoding) -> Encoded:
    """A delta, float32 [parameters], all finite, as it is sent."""
    if encoding == "float32":
        return Encoded(encode_vector(delta))
    if encoding == "float16":
        return Encoded(np.clip(delta, -LARGEST_HALF, LARGEST_HALF).astype(STORED["float16"]).tobytes())
    top = int(np.iinfo(encoding).max)
    parts, quantization, start = list[Array](), list[Quantization](), 0
    for spec in specs:
        part = delta[start : start + spec.size]
        start += spec.size
        q = _range(part, top)
        steps = np.rint((part.astype(np.float64) - q.min) / q.scale)
        parts.append(np.clip(steps, 0, top).astype(STORED[encoding]))
        quantization.append(q)
    return Encoded(b"".join(part.tobytes() for part in parts), tuple(quantization))


def _range(values: Vector, top: int) -> Quantization:
    """Minimum and scale for one tensor, in float32 because the reader computes in it; 0 stays exactly 0."""
    low, high = float(min(values.min(initial=0.0), 0.0)), float(max(values.max(initial=0.0), 0.0))
    scale = float(np.float32((high - low) / top)) or 1.0
    return Quantization(float(np.float32(np.rint(low / scale) * scale)), scale)
