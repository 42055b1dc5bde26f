"""Server optimizers: how the weights move along what the clients found, taken as a gradient.

Reddi et al., "Adaptive Federated Optimization", ICLR 2021: the direction is minus the pseudo-gradient.
"""

from typing import TYPE_CHECKING, Protocol

from webnn.core.optimizers.adagrad import Adagrad
from webnn.core.optimizers.adam import Adam
from webnn.core.optimizers.momentum import Momentum
from webnn.core.optimizers.nesterov import Nesterov
from webnn.core.optimizers.yogi import Yogi
from webnn.core.plugins import union
from webnn.core.state import Shape, State
from webnn.core.wire import Vector

__all__ = ["Adagrad", "Adam", "AnyOptimizer", "Momentum", "Nesterov", "Optimizer", "Yogi"]


class Optimizer(Protocol):
    """Takes steps. A frozen msgspec Struct with `tag_field="name"`; its members are its parameters."""

    @property
    def remembers(self) -> Shape:
        """What it needs to remember."""
        ...

    def step(self, weights: Vector, state: State, direction: Vector, factor: float) -> None:
        """Moves `weights` along g = factor * direction, in place; so it changes `state`.

        Args:
            weights: W, float32 [parameters].
            state: What it remembers.
            direction: Where the clients went, float32 [parameters].
            factor: What the rule scales it by.
        """
        ...


if TYPE_CHECKING:
    AnyOptimizer = Momentum | Nesterov | Adam | Yogi | Adagrad
else:
    AnyOptimizer = union("webnn.optimizers", Momentum, Nesterov, Adam, Yogi, Adagrad, members=("remembers", "step"))
