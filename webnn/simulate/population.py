"""Who takes part in a simulated run: how fast, from when to when, with what data, and with what intentions.

Times are in units of one mini-batch on a client of speed 1.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from webnn.core.wire import Array, Vector

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Time = Annotated[float, Meta(ge=0.0, le=1e9)]
Attack = Literal["sign_flip", "scaled", "random", "label_flip"]
ATTACKS: tuple[Attack, ...] = ("sign_flip", "scaled", "random", "label_flip")
SCALE = 10.0


class Population(Struct, frozen=True, forbid_unknown_fields=True):
    """How to draw clients.

    Attributes:
        clients: How many.
        sigma: Of the logarithm of their speeds, log-normal with mean 1; 0: all are equal.
        arrivals: They arrive at random within this time.
        leaving: Share of the clients that leave for good in the middle of a task.
        stay: How long those who leave stay: exponential, with this mean.
        replaced: Whether another client, like it in all else, arrives when one leaves.
        latency: One way, of each request with a body.
        bandwidth: Bytes a unit of time, in each direction; None: without limit.
        merge_delay: From an upload to its merge.
        failures: Share of updates that are announced and never uploaded.
        dirichlet: alpha of the clients' shares in each class (smaller: more skewed); None: the run's own shards.
        malicious: Share of the clients that mean harm.
        attack: What they do.
    """

    clients: Annotated[int, Meta(ge=1, le=100_000)] = 8
    sigma: Annotated[float, Meta(ge=0.0, le=5.0)] = 0.0
    arrivals: Time = 0.0
    leaving: Share = 0.0
    stay: Annotated[float, Meta(ge=0.01, le=1e9)] = 50.0
    replaced: bool = False
    latency: Time = 0.0
    bandwidth: Annotated[float, Meta(gt=0.0)] | None = None
    merge_delay: Time = 0.0
    failures: Share = 0.0
    dirichlet: Annotated[float, Meta(gt=0.0, le=1e6)] | None = None
    malicious: Share = 0.0
    attack: Attack = "sign_flip"


class Character(Struct, frozen=True):
    """One client.

    Attributes:
        speed: Mini-batches in a unit of time.
        arrives: After so long.
        stays: How long; for ever if None.
        examples: Its own data, indices into the training set [n]; None: what the run hands out.
        attack: What it does if it means harm.
    """

    speed: float
    arrives: float
    stays: float | None
    examples: NDArray[np.int64] | None
    attack: Attack | None


def characters(population: Population, labels: Array, chance: np.random.Generator) -> list[Character]:
    """Draws all clients. The mean of their speeds is exactly 1, so that populations differ in the spread alone."""
    count = population.clients
    speeds = np.exp(population.sigma * chance.standard_normal(count))
    speeds = speeds / speeds.mean()
    own = _skewed(labels, count, population.dirichlet, chance) if population.dirichlet else [None] * count
    harmful = chance.permutation(count) < round(population.malicious * count)
    leaving = chance.permutation(count) < round(population.leaving * count)
    found = []
    for number in range(count):
        arrives = float(chance.uniform(0, population.arrivals)) if population.arrivals else 0.0
        stays = float(chance.exponential(population.stay))
        found.append(
            Character(
                speed=float(speeds[number]),
                arrives=arrives,
                stays=stays if leaving[number] else None,
                examples=own[number],
                attack=population.attack if harmful[number] else None,
            )
        )
    return found


def successor(one: Character, population: Population, chance: np.random.Generator) -> Character:
    """Who comes at once when one leaves: as fast, with the same data and intentions, and leaving in its turn."""
    return replace(one, arrives=0.0, stays=float(chance.exponential(population.stay)))


def _skewed(labels: Array, count: int, alpha: float, chance: np.random.Generator) -> Sequence[NDArray[np.int64] | None]:
    """Parts of the data whose classes are skewed (Hsu, Qi, Brown, 2019): for each class, Dirichlet(alpha) shares."""
    parts: list[list[NDArray[np.int64]]] = [[] for _ in range(count)]
    for kind in np.unique(labels):
        rows = chance.permutation(np.flatnonzero(labels == kind))
        cuts = (np.cumsum(chance.dirichlet([alpha] * count))[:-1] * len(rows)).astype(int)
        for part, piece in zip(parts, np.split(rows, cuts), strict=True):
            part.append(piece)
    found = [np.concatenate(part) for part in parts]
    return [part if len(part) else chance.integers(0, len(labels), 1) for part in found]


def harmed(attack: Attack | None, delta: Vector, chance: np.random.Generator) -> Vector:
    """What a client sends instead of its delta, float32 [parameters]; flipped labels are in it already.

    Random weights are as long as the delta that they replace: longer ones any limit on the norm would find.
    """
    if attack == "sign_flip":
        return -delta
    if attack == "scaled":
        return np.float32(SCALE) * delta
    if attack == "random":
        noise = chance.standard_normal(delta.size).astype(np.float32)
        return noise * np.float32(np.linalg.norm(delta) / max(float(np.linalg.norm(noise)), 1e-30))
    return delta
