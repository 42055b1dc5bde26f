"""A simulated client that is a peer: weights of its own, with others' merged into them, as in `web/src/peer.ts`."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
from msgspec import Struct

from webnn.clients import Train
from webnn.core.merge import NOTHING, Accumulator, Contribution, Folded, Rule, add_scaled
from webnn.core.records import Head, Update
from webnn.core.rules import Copy
from webnn.core.wire import Vector, decode_vector
from webnn.errors import Conflict, Missing, Unavailable
from webnn.tokens import Member

MOST_STEPS = 100_000  # that an update may say it stands for


class Candidate(Struct, frozen=True):
    """A set of weights, float32 [parameters], and what a rule goes by."""

    weights: Vector
    steps: int
    accuracy: float | None


class Company(Protocol):
    """What a peer finds outside itself."""

    def genesis(self) -> Vector:
        """The run's first weights, float32 [parameters]."""
        ...

    def exchange(self, member: Member, update_id: str) -> Update | None:
        """`POST exchange`."""
        ...

    def body(self, update: Update) -> bytes:
        """Of an update."""
        ...


def merged(rule: Rule, own: Candidate, other: Candidate) -> Candidate:
    """One client's weights with another's in them: the server's own rule, with the client's weights for the head."""
    steps = max(own.steps, other.steps)
    if isinstance(rule, Copy):
        better = other.accuracy is not None and other.accuracy > (own.accuracy or 0.0)
        return (
            Candidate(other.weights, steps, other.accuracy) if better else Candidate(own.weights, steps, own.accuracy)
        )
    into = Accumulator(own.weights.copy(), NOTHING, own.steps, 0)
    nothing = np.broadcast_to(np.float32(0.0), own.weights.shape)
    rule.fold(into, Contribution(nothing, other.weights, 0, other.steps, 1), Folded(0, 1.0), add_scaled)
    return Candidate(into.weights, steps, own.accuracy)


class Peer:
    """One client's weights of its own."""

    def __init__(self, company: Company) -> None:
        """Takes its surroundings."""
        self._company = company
        self._own: Candidate | None = None
        self._generation = -1

    def goes_on(self, task: Train) -> bool:
        """Whether it has weights of its own, of this generation of the run."""
        return self._own is not None and self._generation == task.head.generation

    def start(self, task: Train, head: Callable[[Head], Vector]) -> Vector:
        """The weights to go on from: its own, or the head's if it has none yet or the run was rolled back."""
        if self._own is None or not self.goes_on(task):
            self._own, self._generation = Candidate(head(task.head), task.head.steps, None), task.head.generation
        return self._own.weights

    def trained(self, weights: Vector, steps: int, accuracy: float | None) -> int:
        """Its own weights after a task. Gives the steps to announce."""
        before = self._own.steps if self._own else 0
        self._own = Candidate(weights, before + steps, accuracy)
        return min(self._own.steps, MOST_STEPS)

    def meet(self, task: Train, member: Member, update_id: str) -> int:
        """Leaves what was sent for others, and merges what is given for it. Gives the bytes that were downloaded."""
        try:
            update = self._company.exchange(member, update_id)
            body = self._company.body(update) if update else b""
        except (Conflict, Missing, Unavailable):  # it trains on without
            return 0
        if update is None or self._own is None:
            return 0
        weights = self._company.genesis() + decode_vector(task.spec.weights, body)
        other = Candidate(weights, update.local_steps, update.accuracy)
        self._own = merged(task.spec.merge.rule, self._own, other)
        return len(body)
