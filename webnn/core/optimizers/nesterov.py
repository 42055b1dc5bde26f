"""Outer Nesterov momentum (Douillard et al., "DiLoCo", 2023, algorithm 1, after Sutskever et al., 2013)."""

from typing import ClassVar

from msgspec import Struct

from webnn.core.merge import blocks
from webnn.core.optimizers.parameters import Decay, Rate
from webnn.core.state import Shape, State
from webnn.core.wire import Vector


class Nesterov(Struct, frozen=True, tag_field="name", tag="nesterov", forbid_unknown_fields=True):
    """m <- momentum * m + g, then W <- W + rate * (g + momentum * m).

    Attributes:
        rate: eta; DiLoCo takes 0.7 for the mean of its clients.
        momentum: beta.
    """

    use: ClassVar[str] = "many local steps between updates (DiLoCo); gather with fedbuff first"

    rate: Rate = 0.1
    momentum: Decay = 0.9

    @property
    def remembers(self) -> Shape:
        """The momentum, m."""
        return Shape(vectors=1)

    def step(self, weights: Vector, state: State, direction: Vector, factor: float) -> None:
        """See the class."""
        for block in blocks(weights.size):
            m, g = state.vectors[0][block], direction[block] * factor
            m *= self.momentum
            m += g
            weights[block] += self.rate * (g + self.momentum * m)
