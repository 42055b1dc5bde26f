"""Merging: fold updates into weights. Pure numpy, no I/O.

A recipe (`webnn.core.recipe`) folds one update at a time, in update order, and remembers nothing between updates but
the weights, the steps, the version and its state, all of which a checkpoint holds. So a batch folded at once gives bit
for bit the weights that committing its updates one by one would give: grouping does not matter.

Arithmetic: float32 arrays, float64 scalars. `merge` copies the head's weights and state once; the rules then work in
place on those copies, block by block, so that one merge needs the head, the copies, one update and (for the rules that
ask for it) the update's base.
"""

from collections.abc import Callable, Iterable, Iterator
from math import isfinite
from typing import Protocol

import numpy as np
from msgspec import Struct

from webnn.core.state import Shape, State
from webnn.core.wire import Vector
from webnn.errors import Invalid

# Elements worked on at a time, so that the scratch stays small beside the model and warm in the second-level
# cache. Measured (bench/merge.py): from 2**17 up the cost of numpy's calls no longer shows.
BLOCK = 2**18

NOTHING = State(np.zeros(0), ())


class Contribution(Struct, frozen=True):
    """One update, as a rule sees it.

    Attributes:
        delta: Trained weights minus base weights, float32 [parameters].
        base: The weights it started from, float32 [parameters]; None where the rule does not need them.
        base_version: b, the version it started from.
        steps: t_p = t_b + k, training iterations behind the trained weights.
        examples: n, training examples behind the delta.
        accuracy: Of the trained weights, in [0, 1], as the client validated them; None if it did not.
        client: Id of who sent it.
    """

    delta: Vector
    base: Vector | None
    base_version: int
    steps: int
    examples: int
    accuracy: float | None = None
    client: str = ""


class Folded(Struct, frozen=True):
    """How an update is folded in: the staleness it has and the discount that gives it (0: it is left out)."""

    staleness: int
    discount: float


class Accumulator(Struct):
    """What updates are folded into.

    Attributes:
        weights: W, float32 [parameters]; changed in place.
        state: What is remembered, its arrays changed in place.
        steps: t, training iterations behind W.
        version: v, updates in W.
    """

    weights: Vector
    state: State
    steps: int
    version: int


# W <- W + factor * direction, in place, or what a server optimizer makes of that.
Step = Callable[[Vector, Vector, float], None]


class Rule(Protocol):
    """How one update is folded in. A frozen msgspec Struct with `tag_field="name"`; its members are its parameters."""

    @property
    def needs_base(self) -> bool:
        """Whether `Contribution.base` must be there."""
        ...

    @property
    def adds(self) -> bool:
        """Whether it moves the weights only by `step`: then server optimizers work with it."""
        ...

    @property
    def combines(self) -> bool:
        """Whether several updates may be combined into one before it sees them."""
        ...

    @property
    def remembers(self) -> Shape:
        """What it needs to remember."""
        ...

    def discount(self, staleness: int) -> float:
        """s(tau) in [0, 1]; 0 discards the update."""
        ...

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """Folds the update in, in place.

        Args:
            into: The accumulator; its state is this rule's. Steps and version are moved by the caller.
            update: What to fold in.
            how: Its staleness, and its discount, over 0.
            step: For rules that add: moves the weights along a direction.
        """
        ...


class Folds(Protocol):
    """What `merge` folds with: a recipe."""

    def discount(self, staleness: int) -> float:
        """s(tau) in [0, 1]; 0 discards the update."""
        ...

    def fold(self, into: Accumulator, update: Contribution, how: Folded) -> None:
        """Folds the update in, in place."""
        ...


class Merged(Struct, frozen=True):
    """Weights and state after a merge, with the steps and the version they stand for."""

    weights: Vector
    steps: int
    version: int
    folded: tuple[Folded, ...]
    state: State = NOTHING


def merge(
    recipe: Folds,
    weights: Vector,
    steps: int,
    version: int,
    updates: Iterable[Contribution],
    state: State = NOTHING,
) -> Merged:
    """Folds the updates into the weights, in order. The arguments are left as they are.

    After each update t <- max(t, t_p) and v <- v + 1; staleness is v - b at that moment. An update whose
    discount is 0 is left out and moves neither. Discounts are rounded to float32, so that machines whose powers differ
    in the last bit of a float64 merge alike.

    Args:
        recipe: How to fold one in.
        weights: W of the head, float32 [parameters].
        steps: t of the head.
        version: v of the head.
        updates: Consumed one at a time, so only one need be in memory.
        state: What the recipe remembers at the head.

    Raises:
        Invalid: The recipe refuses an update, or with one of them the weights or the state would no longer be finite.
            What is not finite once stays so, whatever comes after; so a look at the end is enough.
    """
    into = Accumulator(weights.copy(), state.copy(), steps, version)
    folded: list[Folded] = []
    for update in updates:
        folded.append(_weighed(recipe, into.version - update.base_version))
        with np.errstate(over="ignore", invalid="ignore"):  # it is looked at below
            fold(recipe, into, update, folded[-1])
        del update  # or it would still be in memory while the next one is read
    if not all(isfinite(norm(vector)) for vector in (into.weights, *into.state.vectors)):
        raise Invalid("merged, it would make the weights infinite or not a number")
    return Merged(into.weights, into.steps, into.version, tuple(folded), into.state)


def _weighed(recipe: Folds, staleness: int) -> Folded:
    discount = float(np.float32(recipe.discount(staleness)))
    if not 0.0 <= discount <= 1.0:
        raise Invalid(f"its discount, at staleness {staleness}, would be {discount}: not in [0, 1]")
    return Folded(staleness, discount)


def fold(recipe: Folds, into: Accumulator, update: Contribution, how: Folded) -> None:
    """Folds one update in, unless its discount is 0, and moves steps and version."""
    if how.discount > 0.0:
        recipe.fold(into, update, how)
        into.steps, into.version = max(into.steps, update.steps), into.version + 1


def blocks(size: int) -> Iterator[slice]:
    """Slices of at most `BLOCK` elements that cover so many."""
    return (slice(start, min(start + BLOCK, size)) for start in range(0, size, BLOCK))


def add_scaled(weights: Vector, delta: Vector, factor: float) -> None:
    """W <- W + factor * delta, in place."""
    if factor == 1.0:  # a fresh update has discount 1: the same bits in one pass instead of two
        np.add(weights, delta, out=weights)
        return
    scratch = np.empty(min(BLOCK, weights.size), np.float32)
    scalar = np.float32(factor)
    for block in blocks(weights.size):
        part = weights[block]
        term = np.multiply(delta[block], scalar, out=scratch[: part.size])
        np.add(part, term, out=part)


def mix(weights: Vector, base: Vector, delta: Vector, share: float) -> None:
    """W <- W + share * (base + delta - W), in place: the trained weights get `share` of the result."""
    scratch = np.empty(min(BLOCK, weights.size), np.float32)
    scalar = np.float32(share)
    for block in blocks(weights.size):
        part = weights[block]
        term = np.add(base[block], delta[block], out=scratch[: part.size])
        np.subtract(term, part, out=term)
        np.multiply(term, scalar, out=term)
        np.add(part, term, out=part)


def norm(vector: Vector) -> float:
    """Euclidean norm; inf or nan if any element is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        quick = float(np.dot(vector, vector))
    if np.isfinite(quick):
        return float(np.sqrt(quick))
    parts = (vector[block].astype(np.float64) for block in blocks(vector.size))
    return float(np.sqrt(sum(float(np.dot(part, part)) for part in parts)))
