"""A client that is a peer: it trains weights of its own and merges others' into them, as `web/src/peer.ts` does."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from webnn.contributing.api import Api, PeerTraining, PeerUpdate, TrainTask
from webnn.contributing.faults import Refused
from webnn.core.spec import Spec
from webnn.core.wire import Vector, decode_vector
from webnn.errors import WebnnError
from webnn.simulate.peer import MOST_STEPS, Candidate, merged

Emit = Callable[[str, dict[str, Any]], None]


class Peer:
    """Weights of its own, for as long as the generation lasts. Whatever goes wrong with an exchange, it trains on."""

    def __init__(self, api: Api, emit: Emit) -> None:
        """Takes the API and whom to tell."""
        self._api, self._emit = api, emit
        self._own: Candidate | None = None
        self._genesis: Vector | None = None
        self._spec: Spec | None = None
        self._generation = -1
        self._left: str | None = None

    def start(self, task: TrainTask, training: PeerTraining, spec: Spec) -> tuple[Vector, Vector]:
        """Where to train from: its own weights, or the head's; and what the delta is taken from, the genesis."""
        if self._own is None or self._genesis is None or self._generation != task.generation:
            head = decode_vector(spec.weights, self._api.download(task.checkpoint))
            self._genesis = decode_vector(spec.weights, self._api.download(training.genesis))
            self._own, self._spec = Candidate(head, training.steps, None), spec
            self._generation = task.generation
        return self._own.weights, self._genesis

    def trained(self, weights: Vector, steps: int, accuracy: float | None) -> int:
        """Its own weights after a task. Gives the steps to announce."""
        before = self._own.steps if self._own else 0
        self._own = Candidate(weights, before + steps, accuracy)
        return min(before + steps, MOST_STEPS)

    def sent(self, update_id: str) -> None:
        """An update of this client has arrived."""
        if self._own is not None:
            self._left = update_id

    def forget(self) -> None:
        """Training went wrong: begin with the head again."""
        self._own = self._left = None

    def meet(self, token: str) -> None:
        """Leaves what was sent for others, and merges what is given for it. Raises Refused where the token is none."""
        left, self._left = self._left, None
        if left is None or self._own is None:
            return
        try:
            found = self._api.exchange(token, left)
        except Refused as error:
            if error.code == "unauthorized":
                raise
            return
        except WebnnError:
            return
        if found is not None:
            with suppress(WebnnError):
                self._merge(found)

    def _merge(self, found: PeerUpdate) -> None:
        spec, own, genesis = self._spec, self._own, self._genesis
        if spec is None or own is None or genesis is None:
            return
        delta = decode_vector(spec.weights, self._api.download(found.body), found.encoding, found.packing)
        other = Candidate(genesis + delta, found.local_steps, found.accuracy)
        mixed = merged(spec.merge.rule, own, other)
        if not np.isfinite(mixed.weights).all():  # somebody's training went wrong
            return
        _hold_variances(spec, mixed.weights)
        self._own = mixed
        self._emit("met", {"update_id": found.update_id, "steps": mixed.steps})


def _hold_variances(spec: Spec, weights: Vector) -> None:
    """At 0 or above, as in the head: 8 bits for each weight may take one below. In place."""
    start = 0
    for one in spec.weights:
        part = weights[start : start + one.size]
        start += one.size
        if one.name.endswith("/moving_variance"):
            np.maximum(part, 0.0, out=part)
