"""Server Adagrad (Reddi et al., "Adaptive Federated Optimization", ICLR 2021: FedAdagrad)."""

from typing import ClassVar

import numpy as np
from msgspec import Struct

from webnn.core.merge import blocks
from webnn.core.optimizers.parameters import Epsilon, Rate
from webnn.core.state import Shape, State
from webnn.core.wire import Vector


class Adagrad(Struct, frozen=True, tag_field="name", tag="adagrad", forbid_unknown_fields=True):
    """v <- v + g^2, then W <- W + rate * g / (sqrt(v) + epsilon).

    Attributes:
        rate: eta.
        epsilon: Keeps small directions small.
    """

    use: ClassVar[str] = "weights that are rarely touched, such as embeddings: steps only ever get smaller"

    rate: Rate = 0.01
    epsilon: Epsilon = 1e-3

    @property
    def remembers(self) -> Shape:
        """The sum of squares, v."""
        return Shape(vectors=1)

    def step(self, weights: Vector, state: State, direction: Vector, factor: float) -> None:
        """See the class."""
        for block in blocks(weights.size):
            v, g = state.vectors[0][block], direction[block] * factor
            v += g * g
            weights[block] += self.rate * g / (np.sqrt(v) + self.epsilon)
