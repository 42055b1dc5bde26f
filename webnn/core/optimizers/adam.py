"""Server Adam (Reddi et al., "Adaptive Federated Optimization", ICLR 2021: FedAdam), with Kingma and Ba's correction.

The paper leaves the correction out; Flower has it, and so it is here ("Adam", 2015, the line before section 2.1).
"""

from math import sqrt
from typing import ClassVar

import numpy as np
from msgspec import Struct

from webnn.core.merge import blocks
from webnn.core.optimizers.parameters import Decay, Epsilon, Rate
from webnn.core.state import Shape, State
from webnn.core.wire import Vector


class Adam(Struct, frozen=True, tag_field="name", tag="adam", forbid_unknown_fields=True):
    """m <- beta_1 m + (1 - beta_1) g; v <- beta_2 v + (1 - beta_2) g^2; W <- W + rate_i m / (sqrt(v) + epsilon).

    rate_i = rate * sqrt(1 - beta_2^i) / (1 - beta_1^i) at the i-th step.

    Attributes:
        rate: eta, about how far a weight moves in one step.
        beta_1: Decay of the mean.
        beta_2: Decay of the mean square.
        epsilon: Keeps small directions small.
    """

    use: ClassVar[str] = "the step size finds itself whatever the clients' rate; gather with fedbuff first"

    rate: Rate = 0.01
    beta_1: Decay = 0.9
    beta_2: Decay = 0.99
    epsilon: Epsilon = 1e-3

    @property
    def remembers(self) -> Shape:
        """The steps so far, i; the means m and v."""
        return Shape(scalars=1, vectors=2)

    def step(self, weights: Vector, state: State, direction: Vector, factor: float) -> None:
        """See the class."""
        state.scalars[0] += 1
        i = float(state.scalars[0])
        rate = self.rate * sqrt(1 - self.beta_2**i) / (1 - self.beta_1**i)
        for block in blocks(weights.size):
            (m, v), g = (each[block] for each in state.vectors), direction[block] * factor
            m *= self.beta_1
            m += (1 - self.beta_1) * g
            v *= self.beta_2
            v += (1 - self.beta_2) * g * g
            weights[block] += rate * m / (np.sqrt(v) + self.epsilon)
