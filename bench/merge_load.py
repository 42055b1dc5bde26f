"""The load that merging is measured on: a model of two tensors and updates to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from webnn.core.merge import Contribution, Merged, merge
from webnn.core.recipe import Merging, Recipe
from webnn.core.rules import AnyRule, Auto, Average, Delta, Weighted
from webnn.core.state import zeros
from webnn.core.tensors import TensorSpec
from webnn.core.wire import Vector, decode_vector, encode_vector, sha256

# As a run gets them by default. All updates of the load are made from version 0, so staleness goes from 0 to 99.
RULES: dict[str, AnyRule] = {"delta": Delta(), "auto": Auto(), "average": Average(), "weighted": Weighted()}

BIAS = 1000
EXAMPLES = 64
LOCAL_STEPS = 4


@dataclass(frozen=True, slots=True)
class Load:
    """What a merge function has when it begins.

    Attributes:
        specs: Two tensors, a kernel and a bias.
        head: The head's checkpoint.
        bodies: One per update, float32.
        digests: Their SHA-256, as announced.
    """

    specs: tuple[TensorSpec, ...]
    head: bytes
    bodies: tuple[bytes, ...]
    digests: tuple[str, ...]

    @classmethod
    def of(cls, parameters: int, updates: int, distinct: int | None = None) -> Self:
        """Random weights and deltas; `distinct` of the bodies differ, the others repeat them."""
        if parameters % BIAS or parameters <= BIAS:
            raise ValueError(f"parameters must be a multiple of {BIAS} and more than it")
        random = np.random.default_rng(2018)
        specs = (
            TensorSpec("dense/kernel", (parameters // BIAS - 1, BIAS), "float32"),
            TensorSpec("dense/bias", (BIAS,), "float32"),
        )
        head, *bodies = (
            encode_vector(random.standard_normal(parameters, np.float32)) for _ in range(1 + (distinct or updates))
        )
        digests = [sha256(body) for body in bodies]
        order = [index % len(bodies) for index in range(updates)]
        return cls(specs, head, tuple(bodies[index] for index in order), tuple(digests[index] for index in order))

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return len(self.head) // 4


def contributions(load: Load, rule: AnyRule, *, fresh: bool = False) -> Iterator[Contribution]:
    """The updates as a rule sees them, all made from the head.

    Args:
        load: What to merge.
        rule: Says whether the base must be there.
        fresh: Make each body anew and give it up again, as a store's answers are.
    """
    base = decode_vector(load.specs, _copied(load.head) if fresh else load.head) if rule.needs_base else None
    for body in load.bodies:
        yield Contribution(
            delta=decode_vector(load.specs, _copied(body) if fresh else body),
            base=base,
            base_version=0,
            steps=LOCAL_STEPS,
            examples=EXAMPLES,
        )


def merged(load: Load, rule: AnyRule, head: Vector, *, fresh: bool = False) -> Merged:
    """All of them merged into the head, by this rule alone."""
    recipe = Recipe(rule)
    state = zeros(recipe.remembers, head.size)
    return merge(Merging(recipe, load.specs), head, 0, 0, contributions(load, rule, fresh=fresh), state)


def _copied(body: bytes) -> bytes:
    return memoryview(body).tobytes()
