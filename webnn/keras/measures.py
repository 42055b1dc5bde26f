"""Losses and accuracy of predictions as TF.js works them out in a page. Numpy only.

Sums over examples in float64, so that parts of a validation set add up to the whole.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from webnn.core.wire import Array
from webnn.errors import Invalid

EPSILON = 1e-7  # TF.js's: no probability is nearer to 0 or 1
Floats = NDArray[Any]


class Sums(Struct, frozen=True):
    """Over some examples: of losses, of how right each was (from 0 to 1), and how many they are."""

    loss: float = 0.0
    right: float = 0.0
    examples: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.loss + other.loss, self.right + other.right, self.examples + other.examples)


def measured(loss: str, targets: Sequence[Array], outputs: Sequence[Array]) -> Sums:
    """Of one batch: the losses of all outputs together, and the mean of their accuracies.

    Args:
        loss: Its name in a spec.
        targets: One [n, ...] for each output.
        outputs: What the model gives, [n, ..., classes or values].

    Raises:
        Invalid: There are not as many targets as outputs, or a target does not fit its output.
    """
    if len(targets) != len(outputs):
        raise Invalid(f"the model has {len(outputs)} outputs, the data {len(targets)} targets")
    pairs = [_fitting(loss, target, output) for target, output in zip(targets, outputs, strict=True)]
    losses = sum(_per_example(_losses(loss, *pair)) for pair in pairs)
    right = sum(_per_example(_right(loss, *pair)) for pair in pairs)
    return Sums(losses, right / len(pairs), len(outputs[0]))


def _fitting(loss: str, target: Array, output: Array) -> tuple[Floats, Floats]:
    """Target and output as float64; class indices without the axis of one that some data has."""
    found, given = np.asarray(output, np.float64), np.asarray(target, np.float64)
    wanted = found.shape[:-1] if loss == "sparseCategoricalCrossentropy" else found.shape
    if given.size != np.prod(wanted):
        raise Invalid(f"targets of shape {given.shape} do not fit an output of shape {found.shape} with loss {loss}")
    if loss == "sparseCategoricalCrossentropy" and not ((given >= 0) & (given < found.shape[-1])).all():
        raise Invalid(f"a target is no class from 0 to {found.shape[-1] - 1}")
    return given.reshape(wanted), found


def _per_example(values: Floats) -> float:
    """The sum over examples of each one's mean."""
    return float(values.reshape(len(values), -1).mean(axis=1).sum())


def _losses(loss: str, target: Floats, output: Floats) -> Floats:
    if loss == "meanSquaredError":
        return np.asarray(((output - target) ** 2).mean(axis=-1))
    if loss == "binaryCrossentropy":
        clipped = np.clip(output, EPSILON, 1 - EPSILON)
        return np.asarray(-(target * np.log(clipped) + (1 - target) * np.log(1 - clipped)).mean(axis=-1))
    if loss == "sparseCategoricalCrossentropy":
        output = np.clip(output, EPSILON, 1 - EPSILON)
        target = np.eye(output.shape[-1])[target.astype(int)]
    clipped = np.clip(output / output.sum(axis=-1, keepdims=True), EPSILON, 1 - EPSILON)
    return np.asarray(-(target * np.log(clipped)).sum(axis=-1))


def _right(loss: str, target: Floats, output: Floats) -> Floats:
    """What TF.js means by `accuracy`: it goes by the loss, and for one value in the output by that."""
    if output.shape[-1] == 1 or loss == "binaryCrossentropy":
        found = np.equal(target.reshape(output.shape), output > 0.5).mean(axis=-1)
        return np.asarray(found, np.float64)
    likeliest = output.argmax(axis=-1)
    classes = target if loss == "sparseCategoricalCrossentropy" else target.argmax(axis=-1)
    return np.asarray(np.equal(classes, likeliest), np.float64)
