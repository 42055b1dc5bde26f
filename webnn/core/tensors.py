"""Tensor specs: names, shapes and dtypes of what a blob holds, as in a TF.js weights manifest."""

from collections.abc import Sequence
from math import prod
from typing import Annotated, Literal

from msgspec import Meta, Struct

Dimension = Annotated[int, Meta(ge=0, le=2**31)]
Packed = Literal["float16", "uint8", "uint16"]

ELEMENT_BYTES = {"float32": 4, "int32": 4, "bool": 1, "float16": 2, "uint8": 1, "uint16": 2}


class Packing(Struct, frozen=True, forbid_unknown_fields=False):
    """How a tensor is quantised: float16, or q * scale + min for the integer kinds."""

    dtype: Packed
    min: float = 0.0
    scale: float = 1.0


class TensorSpec(Struct, frozen=True, forbid_unknown_fields=False, omit_defaults=True):
    """One tensor of a blob. In `data`, the shape is that of one example."""

    name: Annotated[str, Meta(min_length=1, max_length=256)]
    shape: Annotated[tuple[Dimension, ...], Meta(max_length=8)]
    dtype: Literal["float32", "int32", "bool"]
    quantization: Packing | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def stored_dtype(self) -> str:
        """Element type in the blob."""
        return self.quantization.dtype if self.quantization else self.dtype

    @property
    def bytes(self) -> int:
        """Bytes in the blob."""
        return self.size * ELEMENT_BYTES[self.stored_dtype]


def total_size(specs: Sequence[TensorSpec]) -> int:
    """Number of elements of all tensors together."""
    return sum(spec.size for spec in specs)


def total_bytes(specs: Sequence[TensorSpec]) -> int:
    """Bytes of a blob that holds one of each."""
    return sum(spec.bytes for spec in specs)
