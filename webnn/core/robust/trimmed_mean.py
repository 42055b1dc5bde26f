"""Coordinate-wise trimmed mean (Yin et al., "Byzantine-Robust Distributed Learning", ICML 2018, definition 2)."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta

from webnn.core.merge import blocks
from webnn.core.robust.gathering import Combination
from webnn.core.wire import Vector

ROUNDING = 1e-9  # or 1 / 49 of 49 would be 0


class TrimmedMean(Combination, frozen=True, tag_field="name", tag="trimmed_mean", forbid_unknown_fields=True):
    """Each weight moves by the mean of what `size` updates say of it, without the `share` highest and lowest.

    Attributes:
        share: beta, what is cut off at each end, below one half; of `size` it is rounded down.
    """

    use: ClassVar[str] = "a share of the updates may lie, known roughly; nearer to the mean than the median"

    share: Annotated[float, Meta(ge=0.0, lt=0.5)] = 0.2

    def combine(self, vectors: Sequence[Vector]) -> Vector:
        """The mean of each coordinate's middle values."""
        cut, found = int(self.share * self.size + ROUNDING), np.empty_like(vectors[0])
        for block in blocks(found.size):
            values = np.sort([vector[block] for vector in vectors], axis=0)
            found[block] = np.mean(values[cut : self.size - cut], axis=0, dtype=np.float64)
        return found
