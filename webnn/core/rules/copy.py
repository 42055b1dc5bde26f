"""Copy merge (Goin, Cotton, Zhao, "WebNN", 2018): the best model so far wins.

In 2018 it never copied: accuracies were written big-endian and read little-endian.
"""

from math import isfinite
from typing import ClassVar

import numpy as np

from webnn.core.bases import Mixing, base_of
from webnn.core.merge import Accumulator, Contribution, Folded, Step, norm
from webnn.core.state import Shape
from webnn.errors import Invalid


class Copy(Mixing, frozen=True, tag_field="name", tag="copy", forbid_unknown_fields=True):
    """W <- W_p if the accuracy that its client validated is higher than the head's, else W.

    The head's is that of the last model that was copied, 0 before. An update without an accuracy is not copied. A
    client's word is taken for it: whoever claims 1.0 ends the race.
    """

    use: ClassVar[str] = "among clients you trust, to race them against each other: nobody's work adds to another's"

    @property
    def combines(self) -> bool:
        """A model made of several has no accuracy that anybody validated."""
        return False

    @property
    def remembers(self) -> Shape:
        """The head's accuracy."""
        return Shape(scalars=1)

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        base, best = base_of(update, "copy"), into.state.scalars
        if update.accuracy is not None and update.accuracy > best[0]:
            best[0] = update.accuracy
            np.add(base, update.delta, out=into.weights)
            if not isfinite(norm(into.weights)):  # the next copy would hide it: so only here it can be told
                raise Invalid("its weights are infinite or not a number")
