"""What the examples of a call of `fit` look like, and how to store them: as small as loses nothing."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct

from webnn.core.wire import Array
from webnn.errors import Invalid
from webnn.fitting.given import Given
from webnn.keras.inputs import Input
from webnn.project.model import Place
from webnn.project.sections import DataSection, Stored

AT_ONCE = 2_000_000  # elements looked at
NEAR = 1e-6  # of k / 255 worked out in float32

Dtype = Literal["float32", "int32"]


class Integers(Struct, frozen=True):
    """A way to store numbers q * scale."""

    dtype: Literal["uint8", "uint16"]
    scale: float


SMALLER = (Integers("uint8", 1.0), Integers("uint16", 1.0), Integers("uint8", 1 / 255))  # the last of images


def described(given: Given, inputs: Sequence[Input], outputs: Sequence[Place], loss: str, seed: int) -> DataSection:
    """A table for each input and each output of the model, in its order.

    Args:
        given: The data; of a stream, its first element is looked at.
        inputs: Of the model.
        outputs: Of the model.
        loss: As in a spec.
        seed: Of the order of the examples.

    Raises:
        Invalid: x or y are not as many as the model has inputs or outputs.
    """
    pairs, whole = given.seen()
    names, ends = [one.name for one in inputs], [one.name for one in outputs]
    xs = [_in_order("x", x, names) for x, _ in pairs]
    ys = [_in_order("y", y, ends) for _, y in pairs]
    classes: Dtype = "int32" if loss == "sparseCategoricalCrossentropy" else "float32"
    if classes == "int32":
        _check_classes(ys[0], outputs)
    return DataSection(
        inputs={one.name: _input([x[i] for x in xs], one, whole=whole) for i, one in enumerate(inputs)},
        targets={name: _smallest([y[i] for y in ys], None, classes, whole=whole) for i, name in enumerate(ends)},
        seed=seed,
    )


def _in_order(what: str, value: Any, names: Sequence[str]) -> list[Array]:
    if isinstance(value, Mapping):
        if set(value) != set(names):
            raise Invalid(f"{what} has {', '.join(map(str, value))}; the model has {', '.join(names)}")
        found = [value[name] for name in names]
    elif len(names) == 1:
        found = [value]
    elif isinstance(value, tuple | list) and len(value) == len(names):
        found = list(value)
    else:
        raise Invalid(
            f"the model has {', '.join(names)}: give {what} as a list of {len(names)} arrays, or a dict of them"
        )
    return [np.asarray(one) for one in found]


def _check_classes(arrays: Sequence[Array], outputs: Sequence[Place]) -> None:
    for array, place in zip(arrays, outputs, strict=True):
        if array.ndim > 1 and array.shape[-1] == place.units and array.shape[-1] > 1:
            said = f"y has rows of {place.units} numbers, the loss takes class indices"
            raise Invalid(
                f"{said}: for one-hot rows compile the model with categorical_crossentropy, or give y.argmax(-1)"
            )


def _input(arrays: Sequence[Array], one: Input, *, whole: bool) -> Stored:
    shape = None
    if None in one.shape:  # the data say what the model leaves open
        shape = tuple(arrays[0].shape[arrays[0].ndim - len(one.shape) :])
    return _smallest(arrays, shape, "int32" if one.dtype.startswith("int") else "float32", whole=whole)


def _smallest(arrays: Sequence[Array], shape: tuple[int, ...] | None, dtype: Dtype, *, whole: bool) -> Stored:
    """Of a stream it goes by the dtype, since what is to come is not known."""
    known = arrays[0].dtype.name
    if known in ("uint8", "bool"):
        return Stored(shape, dtype, "uint8")
    if dtype == "float32" and known in ("uint16", "float16"):
        return Stored(shape, dtype, "uint16" if known == "uint16" else "float16")
    for store in SMALLER if whole and dtype == "float32" else SMALLER[:2] if whole else ():
        if all(array.dtype.kind in "biuf" and _is_held(array, store) for array in arrays):
            return Stored(shape, dtype, store.dtype, 0.0, store.scale)
    return Stored(shape, dtype)


def _is_held(array: Array, store: Integers) -> bool:
    """Whether storing it so loses nothing."""
    most, near = np.iinfo(store.dtype).max, 0.0 if store.scale == 1.0 else NEAR
    flat = array.reshape(-1)
    for start in range(0, flat.size, AT_ONCE):
        part = np.asarray(flat[start : start + AT_ONCE], np.float64)
        with np.errstate(invalid="ignore"):
            steps = np.rint(part / store.scale)
            held = (steps >= 0) & (steps <= most) & (np.abs(steps * store.scale - part) <= near)
        if not held.all():
            return False
    return True
