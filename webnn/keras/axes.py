"""Shapes without the axis of examples, and what the layers' functions ask of them. None is a length that may differ."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Shape = tuple[int | None, ...]
Weights = list[tuple[str, Shape]]
Made = tuple[list[Shape], Weights]
Config = Mapping[str, Any]
Kind = Callable[[Config, Sequence[Shape]], Made]


class Misfit(Exception):  # never leaves this package
    """A layer cannot be built on this."""


def one(shapes: Sequence[Shape]) -> Shape:
    """The one input."""
    if len(shapes) != 1:
        raise Misfit("it takes one input")
    return shapes[0]


def ranked(shapes: Sequence[Shape], axes: str) -> Shape:
    """The one input, which has these axes."""
    shape, wanted = one(shapes), axes.split(", ")
    if len(shape) != len(wanted):
        raise Misfit(f"it takes [{axes}]")
    return shape


def at_most(axes: int, shape: Shape) -> None:
    """That it has no more axes than TF.js's kernel takes."""
    if len(shape) > axes:
        raise Misfit(f"TF.js takes at most {axes} axes")


def check_last(axes: Sequence[int], does: str) -> None:
    """That these axes, counted from the end, are the last one."""
    if list(axes) != [-1]:
        raise Misfit(f"in TF.js {does} along the last axis only; put a Permute before and behind it")


def known(length: int | None, what: str = "the last axis") -> int:
    """A length that has to be known."""
    if length is None:
        raise Misfit(f"how long {what} is has to be known")
    return length


def last(shape: Shape) -> int:
    """How long the last axis is."""
    if not shape:
        raise Misfit("it takes at least one axis")
    return known(shape[-1])


def pair(value: Any) -> tuple[int, int]:
    """A number for each of two axes."""
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def single(value: Any) -> int:
    """A number for the one axis."""
    return value if isinstance(value, int) else int(value[0])


def with_bias(shape: Shape, weights: Weights, config: Config, bias: int) -> Made:
    """A layer of one output, and of a bias if it has one."""
    return [shape], [*weights, *([("bias", (bias,))] if config.get("use_bias", True) else [])]
