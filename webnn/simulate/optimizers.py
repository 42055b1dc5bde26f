"""The optimizers that clients have, as TF.js and `web/src/muon.ts` have them: one step each, in numpy.

`tests/golden/optimizers.json` holds all three to the same numbers: these, TF.js's, and those of the TensorFlow learner.
"""

from collections.abc import Iterator, Sequence
from math import prod, sqrt

import numpy as np
from msgspec import Struct

from webnn.core.wire import Vector
from webnn.errors import Invalid
from webnn.simulate.learner import Floats, Practice

MOMENTUM, SQUARES, EPSILON = 0.9, 0.999, 1e-7
Shapes = Sequence[tuple[int, ...]]

# Muon: the coefficients and the number of iterations of Jordan et al. (2024); beside it Adam's for what is no matrix.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5
LONGEST = 512  # the shorter side of a matrix that is made orthogonal
MUON_SQUARES, MUON_EPSILON, MUON_VECTORS = 0.99, 1e-8, 0.5


class Slots(Struct, frozen=True):
    """What an optimizer remembers: steps taken, and two vectors [parameters]."""

    steps: int
    mean: Vector
    square: Vector

    @staticmethod
    def fresh(shapes: Shapes) -> "Slots":
        """Before the first step."""
        size = sum(prod(shape) for shape in shapes)
        return Slots(0, np.zeros(size, np.float32), np.zeros(size, np.float32))


def stepped(
    practice: Practice, shapes: Shapes, weights: Vector, slots: Slots, gradient: Vector
) -> tuple[Vector, Slots]:
    """The weights after one step, and what is remembered then. The arguments are left as they are.

    Raises:
        Invalid: No such optimizer.
    """
    rate, steps = np.float32(practice.learning_rate), slots.steps + 1
    if practice.optimizer == "sgd":
        return weights - rate * gradient, slots
    if practice.optimizer == "momentum":
        mean = MOMENTUM * slots.mean + gradient
        return weights - rate * mean, Slots(steps, mean, slots.square)
    if practice.optimizer not in ("adam", "muon"):
        raise Invalid(f"no client has an optimizer {practice.optimizer!r}")
    decay = SQUARES if practice.optimizer == "adam" else MUON_SQUARES
    mean = MOMENTUM * slots.mean + (1 - MOMENTUM) * gradient
    square = decay * slots.square + (1 - decay) * gradient * gradient
    now = Slots(steps, mean, square)
    move = _adam(now, decay, EPSILON) if practice.optimizer == "adam" else _muon(shapes, now, gradient)
    return weights - rate * move, now


def _adam(slots: Slots, decay: float, epsilon: float) -> Vector:
    mean = slots.mean / (1 - MOMENTUM**slots.steps)
    move: Vector = mean / (np.sqrt(slots.square / (1 - decay**slots.steps)) + np.float32(epsilon))
    return move


def _muon(shapes: Shapes, slots: Slots, gradient: Vector) -> Vector:
    move = MUON_VECTORS * _adam(slots, MUON_SQUARES, MUON_EPSILON)
    ahead = MOMENTUM * slots.mean + (1 - MOMENTUM) * gradient
    for where, shape in _tensors(shapes):
        if is_matrix(shape):
            move[where] = orthogonal(ahead[where].reshape(-1, shape[-1])).ravel()
    return move.astype(np.float32)


def is_matrix(shape: Sequence[int]) -> bool:
    """Whether Muon makes it orthogonal: a kernel, as a matrix of all its inputs by its outputs, not too large."""
    return len(shape) > 1 and min(prod(shape[:-1]), shape[-1]) <= LONGEST


def _tensors(shapes: Shapes) -> Iterator[tuple[slice, tuple[int, ...]]]:
    start = 0
    for shape in shapes:
        yield slice(start, start + prod(shape)), shape
        start += prod(shape)


def orthogonal(matrix: Floats) -> Floats:
    """Nearly U V^T of the matrix U S V^T [rows, columns], times sqrt(rows / columns) where there are more rows.

    Newton and Schulz's iteration: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
    """
    a, b, c = NEWTON_SCHULZ
    tall = matrix.shape[0] > matrix.shape[1]
    x = (matrix.T if tall else matrix) / (np.linalg.norm(matrix) + np.float32(1e-7))
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x.T * np.float32(sqrt(matrix.shape[0] / matrix.shape[1])) if tall else x
