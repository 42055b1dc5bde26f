"""Norm clipping (Sun, Kairouz, Suresh, McMahan, "Can You Really Backdoor Federated Learning?", 2019, section 4)."""

from math import sqrt
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace

from webnn.core.merge import Contribution, blocks
from webnn.core.wire import Vector


class NormClip(Struct, frozen=True, tag_field="name", tag="norm_clip", forbid_unknown_fields=True):
    """delta <- delta * min(1, norm / ||delta||), the Euclidean norm of the whole delta.

    Attributes:
        norm: The longest that a delta may be.
    """

    use: ClassVar[str] = "against scaled updates, at almost no cost; honest ones should rarely be longer than norm"

    norm: Annotated[float, Meta(gt=0.0, le=1e12)] = 1.0

    def clipped(self, update: Contribution) -> Contribution:
        """The update, no longer than allowed."""
        length = _length(update.delta)
        if length <= self.norm:
            return update
        return replace(update, delta=update.delta * (self.norm / length))


def _length(delta: Vector) -> float:
    """Euclidean norm, summed in float64: it enters the weights, and is worked out again elsewhere."""
    squares = (np.square(delta[block], dtype=np.float64).sum() for block in blocks(delta.size))
    return sqrt(sum(float(square) for square in squares))
