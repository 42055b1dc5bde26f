"""Multi-Krum (Blanchard et al., "Machine Learning with Adversaries", NeurIPS 2017, section 4)."""

from collections.abc import Sequence
from typing import Annotated, ClassVar

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from webnn.core.merge import blocks
from webnn.core.robust.gathering import Combination
from webnn.core.wire import Vector


class MultiKrum(Combination, frozen=True, tag_field="name", tag="multi_krum", forbid_unknown_fields=True):
    """The mean of the `keep` updates that lie nearest to their `size - malicious - 2` nearest others.

    An update's score is the sum of the squared distances to those; the lowest scores are kept. With `keep` 1 it is
    Krum.

    Attributes:
        malicious: f, how many of `size` may lie; the paper asks for 2 f + 2 < size.
        keep: m, how many are kept.
    """

    use: ClassVar[str] = "a known number of updates may lie, of whatever kind; the others are kept whole"

    malicious: Annotated[int, Meta(ge=0, le=64)] = 2
    keep: Annotated[int, Meta(ge=1, le=64)] = 6

    def __post_init__(self) -> None:
        """Raises ValueError, which msgspec makes its own, if the numbers do not fit together."""
        if not 2 * self.malicious + 2 < self.size or self.keep > self.size - self.malicious:
            raise ValueError("multi_krum takes 2 * malicious + 2 < size and keep <= size - malicious")

    def combine(self, vectors: Sequence[Vector]) -> Vector:
        """The mean of those that are kept."""
        near = np.sort(_squared_distances(vectors), axis=1)  # the first is the distance to itself
        scores = near[:, 1 : self.size - self.malicious - 1].sum(axis=1)
        kept = sorted(np.argsort(scores, kind="stable")[: self.keep])
        found: Vector = np.empty_like(vectors[0])
        for block in blocks(found.size):
            found[block] = np.mean([vectors[index][block] for index in kept], axis=0, dtype=np.float64)
        return found


def _squared_distances(vectors: Sequence[Vector]) -> NDArray[np.float64]:
    """[size, size], summed over blocks in float64."""
    found = np.zeros((len(vectors), len(vectors)))
    for block in blocks(vectors[0].size):
        part = np.array([vector[block] for vector in vectors], np.float64)
        for row, one in enumerate(part):
            found[row] += np.square(part - one).sum(axis=1)
    return found
