"""Bytes to arrays and back, in the TF.js weights format.

Tensors stand one after another in the order of their specs: little-endian, C order, no header, no padding
(TF.js `weightsManifest`). Merging works on *vectors*: the whole of a model's weights as one float32 array of
shape [parameters], which for a checkpoint is the blob itself.
"""

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from webnn.core.tensors import ELEMENT_BYTES, Packing, TensorSpec, total_bytes, total_size
from webnn.errors import Invalid

Vector = NDArray[np.float32]
Array = NDArray[np.generic]
# Bytes as a store gives them: a view of what it read, where a copy would double the memory that a model takes.
Body = bytes | memoryview

STORED = {
    "float32": np.dtype("<f4"),
    "int32": np.dtype("<i4"),
    "bool": np.dtype("?"),
    "float16": np.dtype("<f2"),
    "uint8": np.dtype("u1"),
    "uint16": np.dtype("<u2"),
}


def sha256(body: Body) -> str:
    """SHA-256 of the bytes, lower-case hexadecimal."""
    return hashlib.sha256(body).hexdigest()


def encode_vector(vector: Vector) -> bytes:
    """A vector [parameters] as a float32 blob."""
    return np.ascontiguousarray(vector, STORED["float32"]).tobytes()


class Quantization(Struct, frozen=True, array_like=True):
    """How one tensor of an update was quantised: value = q * scale + min."""

    min: float
    scale: float


def update_bytes(specs: Sequence[TensorSpec], encoding: str) -> int:
    """Bytes that a delta for these weights takes in this encoding."""
    return total_size(specs) * ELEMENT_BYTES[encoding]


def decode_vector(
    specs: Sequence[TensorSpec],
    body: Body,
    encoding: str = "float32",
    quantization: Sequence[Quantization] = (),
) -> Vector:
    """The blob of a checkpoint or an update as a vector [parameters], float32.

    A float32 blob is viewed, not copied: the vector is then read-only.

    Args:
        specs: The model's weights, in order.
        body: What was stored.
        encoding: float32, float16, uint8 or uint16.
        quantization: For uint8 and uint16, one entry per tensor.

    Raises:
        Invalid: The length does not fit, or the quantization is not one entry per tensor.
    """
    expected = update_bytes(specs, encoding)
    if len(body) != expected:
        raise Invalid(f"{len(body)} bytes where {expected} were due", bytes=len(body), expected=expected)
    stored = np.frombuffer(body, STORED[encoding])
    if encoding in ("uint8", "uint16"):
        return _dequantize(specs, stored, quantization)
    return stored.astype(np.float32, copy=False)


def _dequantize(specs: Sequence[TensorSpec], stored: Array, quantization: Sequence[Quantization]) -> Vector:
    if len(quantization) != len(specs):
        raise Invalid(f"{len(quantization)} quantizations for {len(specs)} tensors")
    vector = stored.astype(np.float32)
    start = 0
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is found by the check for finite values
        for spec, q in zip(specs, quantization, strict=True):
            part = vector[start : start + spec.size]
            part *= np.float32(q.scale)
            part += np.float32(q.min)
            start += spec.size
    return vector


def encode_tensors(specs: Sequence[TensorSpec], arrays: Mapping[str, Array]) -> bytes:
    """Arrays, named and shaped as their specs say, as one blob, quantised where the spec says so.

    An array that has the quantised dtype already is taken as it is: images are stored as the bytes they are.

    Raises:
        Invalid: An array is absent or has another shape.
    """
    return b"".join(_encode_one(spec, arrays) for spec in specs)


def _encode_one(spec: TensorSpec, arrays: Mapping[str, Array]) -> bytes:
    if spec.name not in arrays:
        raise Invalid(f"no array for tensor {spec.name!r}")
    array = arrays[spec.name]
    if array.shape != spec.shape:
        raise Invalid(f"tensor {spec.name!r} has shape {array.shape}, its spec says {spec.shape}")
    return as_stored(spec, array).tobytes()


def as_stored(spec: TensorSpec, array: Array) -> Array:
    """Values of any number of examples as they are stored, quantised where the spec says so.

    What has the dtype of the storage already is taken as it is.
    """
    if spec.quantization is not None:
        array = _quantize(array, spec.quantization)
    return np.ascontiguousarray(array, STORED[spec.stored_dtype])


def _quantize(array: Array, packing: Packing) -> Array:
    if array.dtype == STORED[packing.dtype]:
        return array
    if packing.dtype == "float16":
        return array.astype(np.float16)
    top = np.iinfo(packing.dtype).max
    scaled = (np.asarray(array, np.float64) - packing.min) / packing.scale
    return np.clip(np.rint(scaled), 0, top).astype(packing.dtype)


def decode_tensors(specs: Sequence[TensorSpec], body: bytes) -> dict[str, Array]:
    """The tensors of a blob by name, dequantised to their spec's dtype.

    Raises:
        Invalid: The length does not fit the specs.
    """
    expected = total_bytes(specs)
    if len(body) != expected:
        raise Invalid(f"{len(body)} bytes where {expected} were due", bytes=len(body), expected=expected)
    arrays: dict[str, Array] = {}
    start = 0
    for spec in specs:
        stored = np.frombuffer(body, STORED[spec.stored_dtype], spec.size, start)
        arrays[spec.name] = _widen(spec, stored).reshape(spec.shape)
        start += spec.bytes
    return arrays


def _widen(spec: TensorSpec, stored: Array) -> Array:
    packing = spec.quantization
    if packing is None:
        return stored
    values = stored.astype(np.float32)
    if packing.dtype != "float16":
        values = values * np.float32(packing.scale) + np.float32(packing.min)
    return np.rint(values).astype(np.int32) if spec.dtype == "int32" else values
