"""The adaptive default: what a client learnt, shared fairly among all who learn beside it, however many they are.

Adding up deltas takes K steps at once where K clients train; averaging them takes one, with K times less noise, which
is what lets clients take long steps. Whoever averages synchronously waits for the slowest. So updates are added one by
one, each with 1 / K, and nobody waits: in the time that one client takes for a task the weights move by the mean of
what all found. K is measured, not told: between two updates of one client as many others pass as there are others. The
mean of that gap over all updates is the number of clients, whatever their speeds; clients who leave are forgotten as
fast as others send.

The rest of the recipe is in the clients: Muon's steps (`web/src/muon.ts`), which are of one length for every matrix
and model, so that one learning rate does. docs/experiments.md says what else was tried.
"""

import zlib
from math import sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from webnn.core.merge import Accumulator, Contribution, Folded, Step
from webnn.core.rules.bases import Adding
from webnn.core.state import Shape

CLIENTS, COUNT, ROUNDS, SLOTS = 0, 1, 2, 3
# Clients are told apart by so many slots; two that share one look like one that is twice as fast.
MOST = 4096
FIRST = 4.0  # clients that are expected before any came twice
# How long the mean remembers, and how long ago a client may have sent to be one of those who are there: so many rounds
# of all clients, and so many updates more.
MEAN_ROUNDS, THERE_ROUNDS, MORE = 2.0, 1.5, 8.0
FEW, SLOWING = 7.0, 25.0  # measured: docs/experiments.md


class Auto(Adding, frozen=True, tag_field="name", tag="auto", forbid_unknown_fields=True):
    """W <- W + c / K * delta, K the mean number of updates from one update of a client to its next.

    c = min(1, (K / 7) ^ (1 / 3)) / sqrt(1 + r / 25), r the sum of 1 / K over all updates, which counts rounds of all
    clients. Few clients average away little noise, and towards the end noise is what is left to lose; both take
    shorter steps. Nothing that a client claims enters.
    """

    use: ClassVar[str] = "the default: needs no tuning, for one client or a hundred, of whatever speed"

    @property
    def combines(self) -> bool:
        """It counts who sends."""
        return False

    @property
    def remembers(self) -> Shape:
        """K; updates so far; r; and the number that each client's last update had."""
        return Shape(scalars=SLOTS + MOST)

    def discount(self, staleness: int) -> float:
        """1: who is late has moved little, and is one of K."""
        return 1.0

    def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
        """See the class."""
        state = into.state.scalars
        clients = _counted(state, update.client)
        boldness = min(1.0, (clients / FEW) ** (1 / 3)) / sqrt(1 + float(state[ROUNDS]) / SLOWING)
        state[ROUNDS] += 1 / clients
        step(into.weights, update.delta, boldness / clients)


def _counted(state: NDArray[np.float64], client: str) -> float:
    """How many clients there are, now that this one has sent; at least 1."""
    slot = SLOTS + zlib.crc32(client.encode()) % MOST
    state[COUNT] += 1
    count, last, known = state[COUNT], state[slot], state[CLIENTS] if state[COUNT] > 1 else FIRST
    state[slot] = count
    if last > 0:
        known += (count - last - known) / (MEAN_ROUNDS * known + MORE)
    else:  # somebody new; in the first round everybody is
        there = np.count_nonzero(state[SLOTS:] > max(count - THERE_ROUNDS * known - MORE, 0))
        known = max(known, there)
    state[CLIENTS] = max(known, 1.0)
    return float(state[CLIENTS])
