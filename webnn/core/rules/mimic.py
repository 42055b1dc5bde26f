"""Mimic merge, as the experiments of 2018 ran it (Goin, Cotton, Zhao, "WebNN", 2018, and its published code).

It moves towards who is fresher, and *away* from who is not: with two clients or more, most updates are not fresher than
the head, and training diverges. It was the worst performer of 2018, and is here so that this can be seen.
"""

from typing import ClassVar

from webnn.core.bases import Mixing, base_of
from webnn.core.merge import Accumulator, Contribution, Folded, Step, mix


class Mimic(Mixing, frozen=True, tag_field="name", tag="mimic", forbid_unknown_fields=True):
    """W <- W + D / (m + 1) with D = W_p - W if t_p > t, else W - W_p, and m = max(|t_p - t|, 1)."""

    use: ClassVar[str] = "never: it moves away from clients that are not fresher, and diverges; kept for the record"

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        ahead = update.steps - into.steps
        share = 1 / (max(abs(ahead), 1) + 1)
        mix(into.weights, base_of(update, "mimic"), update.delta, share if ahead > 0 else -share)
