"""Merging: fold updates into weights. Pure numpy, no I/O.

A rule folds one update at a time, in update order, and keeps no memory between updates but the weights, the
steps and the version. So a batch folded at once gives bit for bit the weights that committing its updates one
by one would give: grouping does not matter.

Arithmetic: float32 arrays, float64 scalars. `merge` copies the head's weights once; the rules then work in
place on that copy, block by block, so that one merge needs the head, the copy, one update and (for the rules
that ask for it) the update's base.
"""

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from msgspec import Struct

from webnn.core.wire import Vector

# Elements worked on at a time, so that the scratch stays small beside the model and warm in the second-level
# cache. Measured (bench/merge.py): from 2**17 up the cost of numpy's calls no longer shows.
BLOCK = 2**18


class Contribution(Struct, frozen=True):
    """One update, as a rule sees it.

    Attributes:
        delta: Trained weights minus base weights, float32 [parameters].
        base: The weights it started from, float32 [parameters]; None where the rule does not need them.
        base_version: b, the version it started from.
        steps: t_p = t_b + k, training iterations behind the trained weights.
        examples: n, training examples behind the delta.
    """

    delta: Vector
    base: Vector | None
    base_version: int
    steps: int
    examples: int


class Rule(Protocol):
    """How one update is folded in."""

    @property
    def needs_base(self) -> bool:
        """Whether `Contribution.base` must be there."""
        ...

    def discount(self, staleness: int) -> float:
        """s(tau) in [0, 1]; 0 discards the update."""
        ...

    def fold(self, weights: Vector, steps: int, update: Contribution, discount: float) -> None:
        """Folds the update into `weights`, float32 [parameters], in place.

        Args:
            weights: The accumulator, W.
            steps: t, training iterations behind W.
            update: What to fold in.
            discount: s(tau) of this update.
        """
        ...


class Folded(Struct, frozen=True):
    """What a merge did with one update: the staleness it had and the discount it got (0: left out)."""

    staleness: int
    discount: float


class Merged(Struct, frozen=True):
    """Weights after a merge, with the steps and the version they stand for."""

    weights: Vector
    steps: int
    version: int
    folded: tuple[Folded, ...]


def merge(rule: Rule, weights: Vector, steps: int, version: int, updates: Iterable[Contribution]) -> Merged:
    """Folds the updates into the weights, in order. The argument is left as it is.

    After each update t <- max(t, t_p) and v <- v + 1; staleness is v - b at that moment. An update whose
    discount is 0 is left out and moves neither.

    Args:
        rule: How to fold one in.
        weights: W of the head, float32 [parameters].
        steps: t of the head.
        version: v of the head.
        updates: Consumed one at a time, so only one need be in memory.
    """
    accumulator = weights.copy()
    folded: list[Folded] = []
    for update in updates:
        staleness = version - update.base_version
        discount = rule.discount(staleness)
        folded.append(Folded(staleness, discount))
        if discount > 0.0:
            rule.fold(accumulator, steps, update, discount)
            steps, version = max(steps, update.steps), version + 1
        del update  # or it would still be in memory while the next one is read
    return Merged(accumulator, steps, version, tuple(folded))


def add_scaled(weights: Vector, delta: Vector, factor: float) -> None:
    """W <- W + factor * delta, in place."""
    if factor == 1.0:  # a fresh update has discount 1: the same bits in one pass instead of two
        np.add(weights, delta, out=weights)
        return
    scratch = np.empty(min(BLOCK, weights.size), np.float32)
    scalar = np.float32(factor)
    for start in range(0, weights.size, BLOCK):
        part = weights[start : start + BLOCK]
        term = np.multiply(delta[start : start + BLOCK], scalar, out=scratch[: part.size])
        np.add(part, term, out=part)


def mix(weights: Vector, base: Vector, delta: Vector, share: float) -> None:
    """W <- W + share * (base + delta - W), in place: the trained weights get `share` of the result."""
    scratch = np.empty(min(BLOCK, weights.size), np.float32)
    scalar = np.float32(share)
    for start in range(0, weights.size, BLOCK):
        part = weights[start : start + BLOCK]
        term = np.add(base[start : start + BLOCK], delta[start : start + BLOCK], out=scratch[: part.size])
        np.subtract(term, part, out=term)
        np.multiply(term, scalar, out=term)
        np.add(part, term, out=part)


def norm(vector: Vector) -> float:
    """Euclidean norm; inf or nan if any element is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        quick = float(np.dot(vector, vector))
    if np.isfinite(quick):
        return float(np.sqrt(quick))
    parts = (vector[start : start + BLOCK].astype(np.float64) for start in range(0, vector.size, BLOCK))
    return float(np.sqrt(sum(float(np.dot(part, part)) for part in parts)))
