"""Coordinate-wise median (Yin et al., "Byzantine-Robust Distributed Learning", ICML 2018, definition 1)."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from webnn.core.merge import blocks
from webnn.core.robust.gathering import Combination
from webnn.core.wire import Vector


class Median(Combination, frozen=True, tag_field="name", tag="median", forbid_unknown_fields=True):
    """Each weight moves by the median of what `size` updates say of it."""

    use: ClassVar[str] = "up to half of the updates may lie; learns slower than a mean where clients' data differ"

    def combine(self, vectors: Sequence[Vector]) -> Vector:
        """The median of each coordinate."""
        found = np.empty_like(vectors[0])
        for block in blocks(found.size):
            found[block] = np.median([vector[block] for vector in vectors], axis=0)
        return found
