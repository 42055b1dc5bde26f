"""The last part of x and y, kept apart to validate on: `validation_split` of Keras's own `fit`."""

from collections.abc import Callable, Mapping
from math import floor
from typing import Any

from webnn.errors import Invalid

INSTEAD = "give validation_data=(x, y) instead"


def split(x: Any, y: Any, part: float, inputs: int = 1, outputs: int = 1) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """(x, y) to train on, and (x, y) to validate on: the last examples, in the order in which they came.

    Args:
        x: Of all examples: an array, or a list or dict of them.
        y: Targets, like x.
        part: What of the examples is validated on, between 0 and 1.
        inputs: How many the model has: a list of lists of numbers is one array, or several.
        outputs: Likewise.

    Raises:
        Invalid: x and y are no arrays of one length, or one of the two parts would be empty.
    """
    if not 0 < part < 1:
        raise Invalid(f"validation_split={part!r}: give what part of the examples to validate on, such as 0.2")
    lengths = {_length("x", one) for one in _arrays(x, inputs)} | {_length("y", one) for one in _arrays(y, outputs)}
    if len(lengths) != 1:
        raise Invalid(f"x and y have different numbers of examples: {', '.join(map(str, sorted(lengths)))}")
    (count,) = lengths
    at = floor(count * (1.0 - part))  # as Keras rounds it
    if at in (0, count):
        raise Invalid(f"validation_split={part} of {count} examples leaves none on one side: {INSTEAD}")
    first, last = slice(at), slice(at, None)
    return (
        (_each(x, inputs, lambda one: one[first]), _each(y, outputs, lambda one: one[first])),
        (_each(x, inputs, lambda one: one[last]), _each(y, outputs, lambda one: one[last])),
    )


def _arrays(value: Any, several: int) -> list[Any]:
    found: list[Any] = []
    _each(value, several, found.append)
    return found


def _each(value: Any, several: int, what: Callable[[Any], Any]) -> Any:
    """What becomes of each array, in the order or under the names that they had."""
    if isinstance(value, Mapping):
        return {name: what(one) for name, one in value.items()}
    if several > 1 and isinstance(value, tuple | list):
        return [what(one) for one in value]
    return what(value)


def _length(what: str, array: Any) -> int:
    """How many examples. Raises Invalid if it cannot be cut: a dataset can be gone through, and has a length, too."""
    if isinstance(array, str | bytes) or not (hasattr(array, "__getitem__") and hasattr(array, "__len__")):
        raise Invalid(f"validation_split cuts arrays, and {what} is {_called(array)}: {INSTEAD}")
    try:
        return len(array)
    except TypeError as error:
        raise Invalid(f"validation_split cuts arrays, and {what} is a single number: {INSTEAD}") from error


def _called(value: Any) -> str:
    return "missing" if value is None else f"a {type(value).__name__}"
