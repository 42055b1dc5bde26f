"""2018 again: clients that swap weights through the one slot of a server.

Each holds weights of its own. In every unit of time it takes one step on 64 images, leaves its weights in the slot,
takes what lay there and merges it into its own.

*As it ran*: the original's merge began from the weights that the client had last loaded, so its own step was lost to
itself and lived on only with whoever took it from the slot; and a client read accuracies byte by byte the wrong way
round, so `copy` never copied. It stopped when the mean of five validations, of 64 images each, was 98 %.

*As described*: the merge begins from the trained weights, `copy` compares accuracies, and the end is 98 % of the whole
test set, for the client whose turn it is.
"""

from collections import deque
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case
from live import BATCH, EVERY, TARGET, batches, data, learner

from webnn.core.initial import initial_weights
from webnn.core.merge import NOTHING, Accumulator, Contribution, Folded, Rule, add_scaled
from webnn.core.rules import Average, Copy, Mimic, Weighted
from webnn.core.state import State
from webnn.core.wire import Vector
from webnn.simulate.learner import Practice

RULES: dict[str, Rule] = {"average": Average(), "weighted": Weighted(), "mimic": Mimic(), "copy": Copy()}
PRACTICE = Practice("sgd", 0.2)
LIMIT = 1500
VALIDATION = 64
PATIENCE = 5  # validations in a row


class Peer:
    """One client: its weights, its steps, and what it validated last."""

    def __init__(self, weights: Vector) -> None:
        self.weights = weights
        self.steps = 0
        self.accuracy = 0.0


def merged(rule: Rule, own: Vector, peer: Peer, other: Peer) -> Vector:
    """The weights of one client with another's in them."""
    state = State(np.array([peer.accuracy]), ()) if isinstance(rule, Copy) else NOTHING
    into = Accumulator(own.copy(), state, peer.steps, 0)
    nothing = np.broadcast_to(np.float32(0), own.shape)
    given = Contribution(nothing, other.weights, 0, other.steps, BATCH, other.accuracy)
    rule.fold(into, given, Folded(0, 1.0), add_scaled)
    return into.weights


def lived(case: Case, folder: Path, *, as_it_ran: bool) -> dict[str, Any]:
    """One run."""
    spec, model = learner(folder)
    dataset, chance = data(folder), np.random.default_rng(case.seed)
    start, rule = initial_weights(spec.weights, chance), RULES[case.label]
    peers = [Peer(start.copy()) for _ in range(case.given["clients"])]
    rows, slot, seen = batches(len(dataset.train.inputs), BATCH, chance), None, deque[float](maxlen=PATIENCE)
    curve: list[list[float]] = []
    for time in count(1):
        for peer in peers:
            taken = next(rows)
            loaded = peer.weights
            batch = dataset.train.inputs[taken][None], dataset.train.targets[taken][None]
            trained = model.train(loaded, model.fresh(), *batch, PRACTICE).weights
            left = Peer(trained)
            left.steps, left.accuracy = peer.steps + 1, peer.accuracy
            peer.weights, peer.steps = trained, left.steps
            if slot is not None and len(peers) > 1 and not (as_it_ran and isinstance(rule, Copy)):
                peer.weights = merged(rule, loaded if as_it_ran else trained, peer, slot)
                peer.steps = max(peer.steps, slot.steps)
            slot = left
        if time % EVERY:
            continue
        one = peers[int(chance.integers(len(peers)))]
        some = chance.choice(len(dataset.validation.inputs), VALIDATION, replace=False)
        one.accuracy = model.evaluate(one.weights, some).accuracy
        seen.append(one.accuracy)
        found = model.evaluate(one.weights)
        curve.append([time, time, found.accuracy, found.loss])
        over = len(seen) == PATIENCE and np.mean(seen) >= TARGET if as_it_ran else found.accuracy >= TARGET
        if over or time >= LIMIT:
            return {"time": time if over else None, "accuracy": found.accuracy, "curve": curve}
    raise AssertionError
