"""Discounts: what staleness leaves of an update's influence.

s(tau) in [0, 1], never normalised by the sum of its like: with one update per commit that would cancel it.
Constant, polynomial and hinge are those of Xie, Koyejo, Gupta, "Asynchronous Federated Optimization" (2019),
section 5.2.
"""

from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from webnn.core.plugins import union

NonNegative = Annotated[float, Meta(ge=0.0, le=1e6)]


class Constant(Struct, frozen=True, tag_field="name", tag="constant", forbid_unknown_fields=True):
    """s = 1, however stale."""

    use: ClassVar[str] = "few clients, or a rule that does without"

    def __call__(self, staleness: int) -> float:
        return 1.0


class Polynomial(Struct, frozen=True, tag_field="name", tag="polynomial", forbid_unknown_fields=True):
    """s = (1 + tau) ** -exponent."""

    use: ClassVar[str] = "the default; with exponent 1, updates that trained beside each other count as much as one"

    exponent: NonNegative = 0.5

    def __call__(self, staleness: int) -> float:
        return float((1.0 + staleness) ** -self.exponent)


class Hinge(Struct, frozen=True, tag_field="name", tag="hinge", forbid_unknown_fields=True):
    """s = 1 up to `grace`, then 1 / (slope * (tau - grace) + 1)."""

    use: ClassVar[str] = "so much staleness does no harm, and more does"

    slope: NonNegative = 10.0
    grace: Annotated[int, Meta(ge=0, le=10**12)] = 4

    def __call__(self, staleness: int) -> float:
        return 1.0 / (self.slope * max(staleness - self.grace, 0) + 1.0)


class Cutoff(Struct, frozen=True, tag_field="name", tag="cutoff", forbid_unknown_fields=True):
    """s = 1 up to `limit`, then 0: the update is discarded."""

    use: ClassVar[str] = "what is older does more harm than good"

    limit: Annotated[int, Meta(ge=0, le=10**12)] = 100

    def __call__(self, staleness: int) -> float:
        return 1.0 if staleness <= self.limit else 0.0


if TYPE_CHECKING:
    AnyDiscount = Constant | Polynomial | Hinge | Cutoff
else:
    AnyDiscount = union("webnn.discounts", Constant, Polynomial, Hinge, Cutoff, members=("__call__",))
