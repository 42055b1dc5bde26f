"""Weighted merge (Goin, Cotton, Zhao, "WebNN", 2018, eq. 1.6): each side counts by the steps behind it."""

from msgspec import Struct

from webnn.core.merge import Contribution, mix
from webnn.core.wire import Vector
from webnn.errors import Invalid


class Weighted(Struct, frozen=True, tag_field="name", tag="weighted", forbid_unknown_fields=True):
    """W <- (W t + W_p t_p) / (t + t_p) with W_p = B + delta and t_p = t_b + k.

    A stale update weighs less because t_p lags behind t; staleness itself is not looked at.
    """

    @property
    def needs_base(self) -> bool:
        """W_p is made from the base."""
        return True

    def discount(self, staleness: int) -> float:
        """1, however stale."""
        return 1.0

    def fold(self, weights: Vector, steps: int, update: Contribution, discount: float) -> None:
        """See the class."""
        if update.base is None:
            raise Invalid("weighted needs the weights that the update started from")
        mix(weights, update.base, update.delta, update.steps / (steps + update.steps))
