"""Average merge (Goin, Cotton, Zhao, "WebNN", 2018, eq. 1.5): the head and the trained weights, half and half."""

from typing import ClassVar

from webnn.core.bases import Mixing, base_of
from webnn.core.merge import Accumulator, Contribution, Folded, Step, mix


class Average(Mixing, frozen=True, tag_field="name", tag="average", forbid_unknown_fields=True):
    """W <- (W + W_p) / 2 with W_p = B + delta. Staleness is not looked at."""

    use: ClassVar[str] = "few clients of equal speed; the last to send counts half"

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        mix(into.weights, base_of(update, "average"), update.delta, 0.5)
