"""What a function of `data.py` returns, as arrays by the names of the tensors.

Three kinds are known, and told apart by what they can do, so that no other package has to be imported:

    (x, y)                              arrays of all examples
    a tf.data.Dataset                   what has `as_numpy_iterator`: examples or batches
    a generator, or any other iterable  pairs (x, y): examples or batches

Each of x and y is one array, or a mapping of them by name, or a tuple of them in order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from webnn.core.tensors import TensorSpec
from webnn.core.wire import Array
from webnn.cutting import Arrays, Example, joined_of
from webnn.errors import Invalid

BLOCK_BYTES = 2_000_000  # of single examples that are put together
BLOCK_EXAMPLES = 4096

Iterated = Callable[[Iterable[Any]], Iterator[Any]]


def is_whole(found: Any) -> bool:
    """Whether it is arrays of all examples."""
    return isinstance(found, tuple) and len(found) == 2 and not hasattr(found, "as_numpy_iterator")


def whole(example: Example, found: Any) -> Arrays:
    """All examples. Raises Invalid if they do not fit."""
    columns = _columns(example, found)
    lengths = {name: len(array) if array.ndim else 0 for name, array in columns.items()}
    if len(set(lengths.values())) > 1:
        raise Invalid(f"there are different numbers of examples: {lengths}")
    return _fitting(example, columns)


def blocks(example: Example, found: Any, iterated: Iterated) -> Iterator[Arrays]:
    """A stream, in blocks of some examples.

    Args:
        example: What one looks like.
        found: The dataset or iterable.
        iterated: Goes through it; says whose fault it is when that fails.

    Raises:
        Invalid: It is nothing of the kind, or an element does not fit.
    """
    held, size = list[Arrays](), 0
    for element in iterated(_elements(found)):
        columns = _columns(example, element)
        if not _is_one(example, columns):
            yield _fitting(example, columns)
            continue
        held.append(_fitting(example, {name: array[np.newaxis] for name, array in columns.items()}))
        size += sum(array.nbytes for array in held[-1].values())
        if size >= BLOCK_BYTES or len(held) >= BLOCK_EXAMPLES:
            yield joined_of(held)
            held, size = [], 0
    if held:
        yield joined_of(held)


def _elements(found: Any) -> Iterable[Any]:
    if hasattr(found, "as_numpy_iterator"):
        elements: Iterable[Any] = found.as_numpy_iterator()
        return elements
    if isinstance(found, Iterable) and not isinstance(found, Mapping | str | bytes | np.ndarray):
        return found
    raise Invalid(f"a pair (x, y) of arrays, a tf.data.Dataset or a generator is wanted, not {type(found).__name__}")


def _columns(example: Example, element: Any) -> dict[str, Array]:
    """The arrays of an element by name, whatever their shapes."""
    if not isinstance(element, Sequence) or len(element) != 2:
        raise Invalid(f"an element is a pair (x, y), not {_described(element)}")
    return {**_named("x", element[0], example.inputs), **_named("y", element[1], example.targets)}


def _named(what: str, value: Any, tensors: Sequence[TensorSpec]) -> dict[str, Array]:
    names = [tensor.name for tensor in tensors]
    if isinstance(value, Mapping):
        if set(value) != set(names):
            raise Invalid(f"{what} has {', '.join(map(str, value))} where {', '.join(names)} is wanted")
        return {name: _array(f"{what}[{name!r}]", value[name]) for name in names}
    if len(tensors) == 1:
        return {names[0]: _array(what, value)}
    if not isinstance(value, tuple | list) or len(value) != len(names):
        wanted = f"a mapping or a tuple of {len(names)} ({', '.join(names)})"
        raise Invalid(f"{what} is {wanted}, not {_described(value)}")
    return {name: _array(f"{what}[{i}]", one) for i, (name, one) in enumerate(zip(names, value, strict=True))}


def _array(what: str, value: Any) -> Array:
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise Invalid(f"{what} is no array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise Invalid(f"{what} holds {array.dtype} where numbers are wanted")
    return array


def _is_one(example: Example, columns: Arrays) -> bool:
    """Whether an element is one example and no batch, by its first input."""
    tensor = example.inputs[0]
    shape = columns[tensor.name].shape
    for alike in (tuple, _without_ones):
        if alike(shape) == alike(tensor.shape):
            return True
        if shape and alike(shape[1:]) == alike(tensor.shape):
            return False
    raise Invalid(
        f"{tensor.name!r} has shape {list(shape)}; an example has {list(tensor.shape)}, "
        f"a batch [n, {str(list(tensor.shape))[1:]}"
    )


def _fitting(example: Example, columns: Arrays) -> Arrays:
    """A batch as its specs say; axes of length 1 may be there or not. Raises Invalid."""
    first = columns[example.tensors[0].name]
    count = len(first) if first.ndim else 0
    found = {}
    for tensor in example.tensors:
        array = columns[tensor.name]
        if not array.ndim or _without_ones(array.shape[1:]) != _without_ones(tensor.shape):
            shape = list(array.shape[1:])
            text = f"an example of {tensor.name!r} has shape {shape} where {list(tensor.shape)} is wanted"
            raise Invalid(text, tensor=tensor.name, shape=shape)
        if len(array) != count:
            raise Invalid(f"{tensor.name!r} has {len(array)} examples where others have {count}")
        found[tensor.name] = array if array.shape[1:] == tensor.shape else array.reshape(count, *tensor.shape)
    return found


def _without_ones(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)


def _described(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {len(value)}"
    return f"an array of shape {list(value.shape)}" if hasattr(value, "shape") else type(value).__name__
