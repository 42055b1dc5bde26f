"""How a run's updates become weights: the `merge` section of its spec, and the road that each update takes.

    update -> clipped -> combined with others -> rule -> optimizer -> weights
              `-------- robust ------------'

Clipping bounds what one update can do. Combining gathers some updates and makes one of them. The rule weighs it against
the weights there are. Rules that add (`delta`, `fedbuff`, `fedavg`) move the weights by a step along a direction; an
optimizer takes such steps in its own way.

Statistics
    The moving mean and variance of a batch normalisation do not learn: they are averages of what was seen. Rules that
    add would add up what all clients saw, an optimizer would scale it, and a variance could fall below 0. So under
    these rules statistics are mixed, W <- W + s(tau) / (1 + tau) * (W_p - W): of clients who started from the same
    weights that is the mean, and it never leaves what was seen. It takes the base. Other rules mix all weights anyway.
    What is combined, of clients who started from different weights, are the statistics themselves and not how they
    moved. And whatever the rule, a variance is at least 0: rounding to 8 bits, or a lie, would make it less, and a
    model with such a variance gives NaN.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from webnn.core.bases import base_of
from webnn.core.merge import Accumulator, Contribution, Folded, Step, add_scaled, mix
from webnn.core.optimizers import AnyOptimizer
from webnn.core.robust import AnyRobust, Combination, Gathering
from webnn.core.rules import AnyRule, Auto
from webnn.core.state import Shape, State
from webnn.core.tensors import TensorSpec
from webnn.errors import Invalid

MEAN, VARIANCE = "moving_mean", "moving_variance"
NOTHING = np.float32(0.0)


class Recipe(Struct, frozen=True, forbid_unknown_fields=True, dict=True):
    """The `merge` section of a spec.

    Attributes:
        rule: How one update is folded in.
        robust: Protection from bad updates, in the order in which it is applied: clippings, then at most one
            combination.
        optimizer: What moves the weights under rules that add; None adds.
    """

    rule: AnyRule = Auto()
    robust: tuple[AnyRobust, ...] = ()
    optimizer: AnyOptimizer | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, which msgspec makes its own, if the parts do not fit together."""
        if self.optimizer is not None and not self.rule.adds:
            raise ValueError(f"an optimizer goes with rules that add, such as delta; {self.name} does not")
        if any(isinstance(part, Combination) for part in self.robust[:-1]):
            raise ValueError("of robust, only the last can combine updates")
        if self.gathering is not None and not self.rule.combines:
            raise ValueError(f"{self.name} gathers or compares updates itself; combine them under delta")

    @property
    def name(self) -> str:
        """The name of its rule."""
        return str(self.rule.__struct_config__.tag)

    @cached_property
    def gathering(self) -> Gathering | None:
        """What gathers updates to combine them."""
        last = self.robust[-1] if self.robust else None
        return Gathering(last, whole=self.rule.needs_base) if isinstance(last, Combination) else None

    @property
    def remembers(self) -> Shape:
        """What has to be remembered beside the weights: the rule's, the optimizer's, what is gathered."""
        return sum((part.remembers for part in (self.optimizer, self.gathering) if part), self.rule.remembers)


class Merging:
    """A recipe at work on one model: what `webnn.core.merge.merge` folds with."""

    def __init__(self, recipe: Recipe, tensors: Sequence[TensorSpec] = ()) -> None:
        """Takes the model's weights, in order, among which are its statistics."""
        self._recipe = recipe
        self._statistics = _places(tensors, MEAN, VARIANCE) if recipe.rule.adds else ()
        self._variances = _places(tensors, VARIANCE)

    @property
    def needs_base(self) -> bool:
        """Whether `Contribution.base` must be there."""
        return self._recipe.rule.needs_base or bool(self._statistics)

    def discount(self, staleness: int) -> float:
        """s(tau) in [0, 1]; 0 discards the update."""
        return self._recipe.rule.discount(staleness)

    def fold(self, into: Accumulator, update: Contribution, how: Folded) -> None:
        """Folds the update in, in place: the whole road above."""
        recipe = self._recipe
        of_rule, rest = into.state.split(recipe.rule.remembers)
        for part in recipe.robust:
            update = part.clipped(update)
        if recipe.gathering is not None:
            gathered, rest = rest.split(recipe.gathering.remembers)
            combined = recipe.gathering.combined(gathered, self._comparable(update), how)
            if combined is None:
                return
            update, how = combined
        narrowed = Accumulator(into.weights, of_rule, into.steps, into.version)
        self._apply(narrowed, update, how, self._step(rest))
        if narrowed.weights is not into.weights:
            raise Invalid(f"{recipe.name} puts other weights in the place of those that it should change")
        for where in self._variances:
            np.maximum(into.weights[where], NOTHING, out=into.weights[where])  # NaN stays what it is

    def _apply(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """By the rule; statistics are mixed, where it adds."""
        before = [into.weights[where].copy() for where in self._statistics]
        self._recipe.rule.fold(into, update, how, step)
        for where, values in zip(self._statistics, before, strict=True):
            mix(values, base_of(update, "a statistic")[where], update.delta[where], how.discount / (1 + how.staleness))
            into.weights[where] = values

    def _comparable(self, update: Contribution) -> Contribution:
        """The update with its statistics themselves in its delta, as if they had started from 0."""
        if not self._statistics:
            return update
        base, delta = base_of(update, "a statistic"), update.delta.copy()
        for where in self._statistics:
            delta[where] += base[where]
        return replace(update, delta=delta, base=np.broadcast_to(NOTHING, base.shape))  # of no size in memory

    def _step(self, state: State) -> Step:
        optimizer = self._recipe.optimizer
        if optimizer is None:
            return add_scaled
        return lambda weights, direction, factor: optimizer.step(weights, state, direction, factor)


def _places(tensors: Sequence[TensorSpec], *names: str) -> tuple[slice, ...]:
    """Where the weights of these names lie in a vector."""
    found, start = [], 0
    for tensor in tensors:
        if tensor.name.rpartition("/")[2] in names:
            found.append(slice(start, start + tensor.size))
        start += tensor.size
    return tuple(found)
