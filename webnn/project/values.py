"""Whether values are such as can be trained on, and survive being stored."""

from collections.abc import Iterator

import numpy as np

from webnn.core.tensors import Packing, TensorSpec
from webnn.core.wire import STORED, Array
from webnn.cutting import Arrays
from webnn.project.losses import SPARSE
from webnn.project.spec_of import Document

SLACK = 0.51  # of a step, which rounding takes away anyhow


def complaints(document: Document, block: Arrays) -> Iterator[str]:
    """What is wrong with the values of a block that fits the example, a sentence each."""
    for tensor in document.example.tensors:
        array = block[tensor.name]
        if not array.size:
            continue
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            yield f"{tensor.name!r} holds NaN or infinity"
            continue
        low, high = float(array.min()), float(array.max())
        yield from _storing(tensor, array, low, high)
    for tensor in document.example.targets:
        yield from _meaning(document, tensor, block[tensor.name])


def _storing(tensor: TensorSpec, array: Array, low: float, high: float) -> Iterator[str]:
    packing = tensor.quantization
    if packing is not None and array.dtype == STORED[packing.dtype]:
        return  # as it is
    if packing is not None and packing.dtype != "float16":
        least, most = _holds(packing)
        step = packing.scale * SLACK
        if low < least - step or high > most + step:
            yield (
                f"{tensor.name!r} holds {low:g} to {high:g}; {packing.dtype} with min {packing.min:g} and scale "
                f"{packing.scale:g} holds {least:g} to {most:g}: give arrays of {packing.dtype}, or other numbers"
            )
    elif not _fits(tensor.stored_dtype, low, high):
        yield f"{tensor.name!r} holds {low:g} to {high:g}, more than {tensor.stored_dtype} can"
    if tensor.dtype != "float32" and array.dtype.kind == "f" and (array != np.rint(array)).any():
        yield f"{tensor.name!r} is {tensor.dtype} and holds fractions"


def _holds(packing: Packing) -> tuple[float, float]:
    return packing.min, packing.min + packing.scale * float(np.iinfo(packing.dtype).max)


def _fits(stored: str, low: float, high: float) -> bool:
    if stored == "bool":
        return low >= 0 and high <= 1
    most = float(np.finfo(stored).max) if stored.startswith("float") else float(np.iinfo(stored).max)
    return -most <= low and high <= most


def _meaning(document: Document, tensor: TensorSpec, array: Array) -> Iterator[str]:
    """Whether targets are such as the loss takes."""
    if not array.size or (array.dtype.kind == "f" and not np.isfinite(array).all()):
        return
    low, high = _value(tensor, array, array.min()), _value(tensor, array, array.max())
    if document.loss == SPARSE:
        classes = document.classes.get(tensor.name)
        if low < 0 or (classes is not None and high >= classes):
            wanted = "from 0" if classes is None else f"0 to {classes - 1}, for the model gives {classes} values"
            yield f"{tensor.name!r} holds class indices {low:g} to {high:g}; they must be {wanted}"
        elif tensor.dtype == "float32" and array.dtype.kind == "f" and (array != np.rint(array)).any():
            yield f"{tensor.name!r} holds fractions; class indices are whole numbers"
    elif document.loss in ("binaryCrossentropy", "categoricalCrossentropy") and (low < 0 or high > 1):
        yield f"{tensor.name!r} holds {low:g} to {high:g}; {document.loss} takes 0 to 1"


def _value(tensor: TensorSpec, array: Array, stored: np.generic) -> float:
    packing = tensor.quantization
    if packing is None or packing.dtype == "float16" or array.dtype != STORED[packing.dtype]:
        return float(stored)
    return float(stored) * packing.scale + packing.min
