"""What the rules have in common.

Apart from `webnn.core.rules`, which loads those of other packages: so a rule of another package can import this.
"""

from msgspec import Struct

from webnn.core.merge import Contribution
from webnn.core.state import Shape
from webnn.core.wire import Vector
from webnn.errors import Invalid


class Mixing(Struct, frozen=True):
    """A rule of whole models: it weighs the trained weights, W_p = B + delta, against the head's."""

    @property
    def needs_base(self) -> bool:
        """W_p is made from the base."""
        return True

    @property
    def adds(self) -> bool:
        """It sets the weights itself."""
        return False

    @property
    def combines(self) -> bool:
        """Several models can be made one before."""
        return True

    @property
    def remembers(self) -> Shape:
        """Nothing."""
        return Shape()

    def discount(self, staleness: int) -> float:
        """1, however stale."""
        return 1.0


class Adding(Struct, frozen=True):
    """A rule of deltas: it moves the head's weights along what was learnt."""

    @property
    def needs_base(self) -> bool:
        """The delta is all it needs."""
        return False

    @property
    def adds(self) -> bool:
        """It moves the weights by steps."""
        return True

    @property
    def combines(self) -> bool:
        """Several deltas can be made one before."""
        return True

    @property
    def remembers(self) -> Shape:
        """Nothing."""
        return Shape()


def base_of(update: Contribution, name: str) -> Vector:
    """The weights that the update started from. Raises Invalid if they are not there."""
    if update.base is None:
        raise Invalid(f"{name} needs the weights that the update started from")
    return update.base
