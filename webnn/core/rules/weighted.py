"""Weighted merge (Goin, Cotton, Zhao, "WebNN", 2018, eq. 1.6): each side counts by the steps behind it."""

from typing import ClassVar

from webnn.core.bases import Mixing, base_of
from webnn.core.merge import Accumulator, Contribution, Folded, Step, mix


class Weighted(Mixing, frozen=True, tag_field="name", tag="weighted", forbid_unknown_fields=True):
    """W <- (W t + W_p t_p) / (t + t_p) with W_p = B + delta and t_p = t_b + k.

    A stale update weighs less because t_p lags behind t; staleness itself is not looked at.
    """

    use: ClassVar[str] = "like average, with less of those who lag behind; late in a run the two hardly differ"

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        share = update.steps / (into.steps + update.steps)
        mix(into.weights, base_of(update, "weighted"), update.delta, share)
