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
from math import floor, sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from webnn.core.bases import Adding
from webnn.core.merge import Accumulator, Contribution, Folded, Step
from webnn.core.state import Shape

CLIENTS, COUNT, ROUNDS, SLOTS = 0, 1, 2, 3
# Clients are told apart by a hash of 32 bits: 12 choose a slot, 20 are kept in it beside the number of the update. So
# thousands of visitors, each page a client, may come and go: who finds another's mark in its slot is new.
MOST, MARKS = 2**12, 2**20
FIRST = 4.0  # clients that are expected before any came twice
# How long the mean remembers, and how long ago a client may have sent to be one of those who are there: so many rounds
# of all clients, and so many updates more.
MEAN_ROUNDS, THERE_ROUNDS, MORE = 2.0, 1.5, 8.0
# No gap counts for more than so many rounds, and so many updates: who was away for a day is one client, not thousands.
AWAY_ROUNDS, AWAY_MORE = 8.0, 256.0
FEW, SLOWING = 7.0, 25.0  # measured: docs/experiments.md


class Auto(Adding, frozen=True, tag_field="name", tag="auto", forbid_unknown_fields=True):
    """W <- W + c / K * delta, K the mean number of updates from one update of a client to its next.

    c = min(1, (K / 7) ^ (1 / 3)) / sqrt(1 + r / 25), r counting rounds of all clients: the sum over all updates of
    min(1, gap / K) / K, so that one who sends more often than the mean does not make it later for everybody. Few
    clients average away little noise, and towards the end noise is what is left to lose; both take shorter steps.
    Nothing that a client claims enters.
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
        gap = _gap(state, update.client)
        clients = _counted(state, gap)
        boldness = min(1.0, (clients / FEW) ** (1 / 3)) / sqrt(1 + float(state[ROUNDS]) / SLOWING)
        state[ROUNDS] += min(1.0, (gap or clients) / clients) / clients
        step(into.weights, update.delta, boldness / clients)


def _gap(state: NDArray[np.float64], client: str) -> float | None:
    """How many updates ago this client sent, now that it did again; None if it is new."""
    mark, slot = divmod(zlib.crc32(client.encode()), MOST)
    count, (last, whose) = int(state[COUNT]) + 1, divmod(int(state[SLOTS + slot]), MARKS)
    state[COUNT], state[SLOTS + slot] = count, count * MARKS + mark  # exact below 2 ** 53: 8 billion updates
    return float(count - last) if last and whose == mark else None


def _counted(state: NDArray[np.float64], gap: float | None) -> float:
    """How many clients there are, now that one has sent after this gap; at least 1."""
    count = float(state[COUNT])
    known = float(state[CLIENTS]) if count > 1 else FIRST
    if gap is not None:
        known += (min(gap, AWAY_ROUNDS * known + AWAY_MORE) - known) / (MEAN_ROUNDS * known + MORE)
    else:  # in the first round everybody is new
        first = floor(max(count - THERE_ROUNDS * known - MORE, 0)) + 1
        known = max(known, float(np.count_nonzero(state[SLOTS:] >= first * MARKS)))
    state[CLIENTS] = max(known, 1.0)
    return float(state[CLIENTS])
