"""Asynchronous mixing (Xie, Koyejo, Gupta, "Asynchronous Federated Optimization", 2019, algorithm 1: FedAsync)."""

from typing import Annotated, ClassVar

from msgspec import Meta

from webnn.core.bases import Mixing, base_of
from webnn.core.merge import Accumulator, Contribution, Folded, Step, mix
from webnn.core.staleness import AnyDiscount, Polynomial


class FedAsync(Mixing, frozen=True, tag_field="name", tag="fedasync", forbid_unknown_fields=True):
    """W <- (1 - a) W + a W_p with a = mixing * s(tau) and W_p = B + delta.

    Attributes:
        mixing: alpha, over 0, to 1.
        discounting: s, by name and parameters.
    """

    use: ClassVar[str] = "clients of very different speed: who is late counts less, and nobody can throw the head far"

    mixing: Annotated[float, Meta(gt=0.0, le=1.0)] = 0.6
    discounting: AnyDiscount = Polynomial()

    def discount(self, staleness: int) -> float:
        """s(tau)."""
        return self.discounting(staleness)

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        mix(into.weights, base_of(update, "fedasync"), update.delta, self.mixing * how.discount)
