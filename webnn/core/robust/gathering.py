"""Gathering: some updates are kept until there are enough, and then one is made of them.

What is kept belongs to the state, so updates gather over as many commits as it takes, and how they are grouped into
commits makes no difference. It costs a vector of the model's size for each update that is waited for.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace

from webnn.core.merge import Contribution, Folded
from webnn.core.state import Shape, State
from webnn.core.wire import Vector
from webnn.errors import Invalid

Size = Annotated[int, Meta(ge=2, le=64)]
COUNT, STEPS, EXAMPLES, DISCOUNT, STALENESS = range(5)


class Combination(Struct, frozen=True):
    """A way to make one vector of several. Its subclasses say how.

    Attributes:
        size: How many updates are combined.
    """

    size: Size = 10

    def clipped(self, update: Contribution) -> Contribution:
        """The update as it is: those that combine do not clip."""
        return update

    def combine(self, vectors: Sequence[Vector]) -> Vector:
        """One vector of `size`, each float32 [parameters]."""
        raise NotImplementedError


class Gathering:
    """Gathers updates for a combination."""

    def __init__(self, combination: Combination, *, whole: bool) -> None:
        """Combines deltas, or the whole trained weights (base + delta) for rules that need the base."""
        self._combination = combination
        self._whole = whole

    @property
    def remembers(self) -> Shape:
        """What is gathered, and sums over it."""
        return Shape(scalars=5, vectors=self._combination.size)

    def combined(self, state: State, update: Contribution, how: Folded) -> tuple[Contribution, Folded] | None:
        """Keeps the update; with the last of a group gives one made of all, with the means of staleness and discount.

        Raises:
            Invalid: The base is needed and not there.
        """
        sums, size = state.scalars, self._combination.size
        vector = state.vectors[int(sums[COUNT])]
        np.copyto(vector, update.delta)
        if self._whole:
            np.add(vector, _base(update), out=vector)
        sums += [1, 0, update.examples, how.discount, how.staleness]
        sums[STEPS] = max(sums[STEPS], update.steps)
        if sums[COUNT] < size:
            return None
        told = replace(update, steps=int(sums[STEPS]), examples=int(sums[EXAMPLES]), accuracy=None)
        means = Folded(round(sums[STALENESS] / size), float(sums[DISCOUNT] / size))
        one = self._combination.combine(state.vectors)
        sums[:] = 0.0
        nothing = np.broadcast_to(np.float32(0.0), one.shape)  # of no size in memory
        return (replace(told, base=one, delta=nothing) if self._whole else replace(told, delta=one)), means


def _base(update: Contribution) -> Vector:
    if update.base is None:
        raise Invalid("to combine trained weights takes the weights that each update started from")
    return update.base
