"""Discounted delta accumulation, the default rule.

Each update adds what it learnt, shrunk by its staleness: FedBuff (Nguyen et al., "Federated Learning with
Buffered Asynchronous Aggregation", AISTATS 2022) with a buffer of one, and the discounts of FedAsync. The sum
of the clients' work counts, where averaging only lowers its noise.
"""

from typing import Annotated

from msgspec import Meta, Struct

from webnn.core.merge import Contribution, add_scaled
from webnn.core.staleness import Discount, Polynomial
from webnn.core.wire import Vector


class Delta(Struct, frozen=True, tag_field="name", tag="delta", forbid_unknown_fields=True):
    """W <- W + eta * s(tau) * delta.

    Attributes:
        server_rate: eta, greater than 0.
        discounting: s, by name and parameters.
    """

    server_rate: Annotated[float, Meta(gt=0.0, le=1000.0)] = 1.0
    discounting: Discount = Polynomial()

    @property
    def needs_base(self) -> bool:
        """The delta is all it needs."""
        return False

    def discount(self, staleness: int) -> float:
        """s(tau)."""
        return self.discounting(staleness)

    def fold(self, weights: Vector, steps: int, update: Contribution, discount: float) -> None:
        """See the class."""
        add_scaled(weights, update.delta, self.server_rate * discount)
