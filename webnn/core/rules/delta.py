"""Discounted delta accumulation.

Each update adds what it learnt, shrunk by its staleness: FedBuff (Nguyen et al., "Federated Learning with
Buffered Asynchronous Aggregation", AISTATS 2022) with a buffer of one, and the discounts of FedAsync. The sum
of the clients' work counts, where averaging only lowers its noise.
"""

from typing import Annotated, ClassVar

from msgspec import Meta

from webnn.core.bases import Adding
from webnn.core.merge import Accumulator, Contribution, Folded, Step
from webnn.core.staleness import AnyDiscount, Polynomial

ServerRate = Annotated[float, Meta(gt=0.0, le=1000.0)]


class Delta(Adding, frozen=True, tag_field="name", tag="delta", forbid_unknown_fields=True):
    """W <- W + eta * s(tau) * delta.

    Attributes:
        server_rate: eta, greater than 0.
        discounting: s, by name and parameters.
    """

    use: ClassVar[str] = "a good start: every update moves the head at once; with many clients lower server_rate"

    server_rate: ServerRate = 1.0
    discounting: AnyDiscount = Polynomial()

    def discount(self, staleness: int) -> float:
        """s(tau)."""
        return self.discounting(staleness)

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        step(into.weights, update.delta, self.server_rate * how.discount)
