"""Mimic merge as the poster of 2018 prints it. Nobody ever ran it: each merge shrinks every weight towards 0."""

from typing import ClassVar

import numpy as np

from webnn.core.bases import Mixing, base_of
from webnn.core.merge import Accumulator, Contribution, Folded, Step, mix


class MimicAsPrinted(Mixing, frozen=True, tag_field="name", tag="mimic_as_printed", forbid_unknown_fields=True):
    """W <- (W + D) / (|d| + 1) with d = t - t_p, D = W_p - W for d > 0, else W - W_p."""

    use: ClassVar[str] = "never: it shrinks every weight towards 0; kept because it was printed"

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        behind = into.steps - update.steps
        mix(into.weights, base_of(update, "mimic_as_printed"), update.delta, 1.0 if behind > 0 else -1.0)
        into.weights *= np.float32(1 / (abs(behind) + 1))
