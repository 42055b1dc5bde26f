"""Server momentum (Hsu, Qi, Brown, "Measuring the Effects of Non-Identical Data Distribution", 2019: FedAvgM)."""

from typing import ClassVar

from msgspec import Struct

from webnn.core.merge import blocks
from webnn.core.optimizers.parameters import Decay, Rate
from webnn.core.state import Shape, State
from webnn.core.wire import Vector


class Momentum(Struct, frozen=True, tag_field="name", tag="momentum", forbid_unknown_fields=True):
    """m <- momentum * m + g, then W <- W + rate * m.

    Attributes:
        rate: eta.
        momentum: beta.
    """

    use: ClassVar[str] = (
        "clients whose data differ pull in different directions; many clients already act like momentum"
    )

    rate: Rate = 0.1
    momentum: Decay = 0.9

    @property
    def remembers(self) -> Shape:
        """The momentum, m."""
        return Shape(vectors=1)

    def step(self, weights: Vector, state: State, direction: Vector, factor: float) -> None:
        """See the class."""
        for block in blocks(weights.size):
            m = state.vectors[0][block]
            m *= self.momentum
            m += direction[block] * factor
            weights[block] += self.rate * m
