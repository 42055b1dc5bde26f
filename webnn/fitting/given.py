"""The data that a call of `fit` was given, in the place of a folder's data module."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np

from webnn.errors import Invalid
from webnn.project.elements import is_whole

CALLED = {"train": "x and y", "validation": "validation_data"}
WANTED = "arrays (x, y), a tf.data.Dataset, a keras PyDataset, a generator, or a function that gives one of these"


class Given:
    """Training and validation data, each as arrays of all examples or as a stream."""

    def __init__(self, x: Any, y: Any, validation: Any, called: str = CALLED["validation"]) -> None:
        """Takes what `webnn.fit` was given, and what to call what is validated on.

        Raises:
            Invalid: One of them is nothing of the kind.
        """
        self._called = {**CALLED, "validation": called}
        self._parts = {
            "train": _part(x if y is None else (x, y), "train"),
            "validation": _part(validation, "validation"),
        }

    def part(self, name: str) -> Any:
        """Arrays (x, y), or a stream from its beginning; see `webnn.project.elements`."""
        return self._parts[name]()

    def called(self, name: str) -> str:
        """What the caller knows a part as."""
        return self._called[name]

    def iterated(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items. What fails on the way is the caller's own, with its traceback."""
        return iter(items)

    @property
    def again(self) -> bool:
        """Whether all of it can be gone through more than once: a generator cannot."""
        return not any(isinstance(part, _Once) for part in self._parts.values())

    def seen(self) -> tuple[list[tuple[Any, Any]], bool]:
        """Both parts as (x, y), and True, if both are arrays of all examples; else a first element of the first, False.

        Raises:
            Invalid: There is none.
        """
        parts = list(self._parts.values())
        if not any(isinstance(part, _Once) for part in parts):
            found = [part() for part in parts]
            if all(map(is_whole, found)):
                return found, True
        pair = _first(parts[0])
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise Invalid(f"what x gives first is no pair (x, y); {WANTED} is wanted: or is y missing?")
        return [(pair[0], pair[1])], False


def _first(part: Callable[[], Any]) -> Any:
    """The first element of a stream, arrays of all examples as they are."""
    if isinstance(part, _Once):
        return part.first()
    found = part()
    if is_whole(found):
        return found
    if not isinstance(found, Iterable):
        raise Invalid(f"x is a {type(found).__name__}: {WANTED} is wanted; or is y missing?")
    return next(iter(found.as_numpy_iterator() if hasattr(found, "as_numpy_iterator") else found), None)


class _Once:
    """A generator, with a look at its first element, which stays in it."""

    def __init__(self, items: Iterator[Any]) -> None:
        self._items = items

    def __call__(self) -> Iterator[Any]:
        return self._items

    def first(self) -> Any:
        found = next(self._items, None)
        self._items = chain([] if found is None else [found], self._items)
        return found


def _part(found: Any, name: str) -> Callable[[], Any]:
    if found is None:
        if name == "train":
            raise Invalid(f"x is missing: {WANTED}")
        hint = "validation_data=(x, y) is what every accuracy is measured on"
        raise Invalid(f"{hint}: {WANTED}; or keep some of x and y for that, as with validation_split=0.2")
    if callable(found) and not hasattr(found, "as_numpy_iterator") and not _in_batches(found):
        return lambda: _begun(found())
    if isinstance(found, Iterator):
        return _Once(found)
    return lambda: _begun(found)


def _begun(found: Any) -> Any:
    """As `webnn.project.elements` takes it."""
    if isinstance(found, list) and len(found) == 2 and not isinstance(found[0], tuple | list):
        return tuple(found)
    if _in_batches(found):
        return (found[number] for number in range(len(found)))
    return found


def _in_batches(found: Any) -> bool:
    """Whether it gives batches by their number, as Keras's PyDataset and Sequence do."""
    plain = isinstance(found, tuple | list | Mapping | np.ndarray | str)
    return not plain and hasattr(found, "__getitem__") and hasattr(found, "__len__") and not hasattr(found, "shape")
