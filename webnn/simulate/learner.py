"""Learning: what a client does with a batch, and what a set of weights is worth."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from webnn.core.spec import Spec
from webnn.core.wire import Array, Vector
from webnn.datasets import Dataset

# What a client's optimizer remembers: only its learner knows its shape.
Memory = Any


class Practice(Struct, frozen=True):
    """How a client trains: an optimizer by its name in a spec, and its learning rate."""

    optimizer: str
    learning_rate: float


class Learned(Struct, frozen=True):
    """What some steps of training give.

    Attributes:
        weights: float32 [parameters].
        memory: What the optimizer remembers from now on.
        loss: Mean over the steps, each before it was taken.
    """

    weights: Vector
    memory: Memory
    loss: float


class Evaluated(Struct, frozen=True):
    """Of some weights: mean loss, and the share that was right."""

    loss: float
    accuracy: float


class Learner(Protocol):
    """A model that learns, on this machine. Knows no time: how long a step takes is up to the simulation."""

    def fresh(self) -> Memory:
        """What an optimizer remembers before its first step."""
        ...

    def train(self, weights: Vector, memory: Memory, inputs: Array, targets: Array, practice: Practice) -> Learned:
        """Takes a step on each batch.

        Args:
            weights: To begin from, float32 [parameters]; left as they are.
            memory: Of the optimizer; left as it is.
            inputs: [steps, batch, ...], as they are stored. Some learners take a tuple of several.
            targets: [steps, batch, ...]; likewise.
            practice: How to take a step.
        """
        ...

    def gradient(self, weights: Vector, inputs: Array, targets: Array) -> Vector:
        """Of the mean loss over a batch [batch, ...], float32 [parameters]."""
        ...

    def evaluate(self, weights: Vector, rows: NDArray[np.int64] | None = None) -> Evaluated:
        """On the whole validation set, or on these of its rows."""
        ...


MakeLearner = Callable[[Spec, Dataset], Learner]
Floats = NDArray[Any]
