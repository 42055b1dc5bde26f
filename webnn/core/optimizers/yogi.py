"""Server Yogi (Reddi et al., "Adaptive Federated Optimization", ICLR 2021: FedYogi)."""

from typing import ClassVar

import numpy as np
from msgspec import Struct

from webnn.core.merge import blocks
from webnn.core.optimizers.parameters import Decay, Epsilon, Rate
from webnn.core.state import Shape, State
from webnn.core.wire import Vector


class Yogi(Struct, frozen=True, tag_field="name", tag="yogi", forbid_unknown_fields=True):
    """m <- beta_1 m + (1 - beta_1) g; v <- v - (1 - beta_2) g^2 sign(v - g^2); W <- W + rate m / (sqrt(v) + epsilon).

    Attributes:
        rate: eta.
        beta_1: Decay of the mean.
        beta_2: How slowly v follows g^2.
        epsilon: Keeps small directions small.
    """

    use: ClassVar[str] = "like adam where directions are rare and large: its step sizes grow back slowly"

    rate: Rate = 0.01
    beta_1: Decay = 0.9
    beta_2: Decay = 0.99
    epsilon: Epsilon = 1e-3

    @property
    def remembers(self) -> Shape:
        """The means m and v."""
        return Shape(vectors=2)

    def step(self, weights: Vector, state: State, direction: Vector, factor: float) -> None:
        """See the class."""
        for block in blocks(weights.size):
            (m, v), g = (each[block] for each in state.vectors), direction[block] * factor
            m *= self.beta_1
            m += (1 - self.beta_1) * g
            square = g * g
            v -= (1 - self.beta_2) * square * np.sign(v - square)
            weights[block] += self.rate * m / (np.sqrt(v) + self.epsilon)
