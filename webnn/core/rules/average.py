"""Average merge (Goin, Cotton, Zhao, "WebNN", 2018, eq. 1.5): the head and the trained weights, half and half."""

from msgspec import Struct

from webnn.core.merge import Contribution, mix
from webnn.core.wire import Vector
from webnn.errors import Invalid


class Average(Struct, frozen=True, tag_field="name", tag="average", forbid_unknown_fields=True):
    """W <- (W + W_p) / 2 with W_p = B + delta. Staleness is not looked at."""

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
            raise Invalid("average needs the weights that the update started from")
        mix(weights, update.base, update.delta, 0.5)
