"""What is run: every case of docs/experiments.md, by a name that says what it is.

A case is a few plain values, so that its result can be kept under its name and taken from there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

SEEDS = 4
CROWDS = (1, 4, 8, 16, 32, 64)
RATES = {"sgd": (0.2, 0.4, 0.8), "momentum": (0.02, 0.05, 0.1, 0.2), "adam": (0.0025, 0.005, 0.01, 0.02, 0.03)}


@dataclass(frozen=True, slots=True)
class Case:
    """One run.

    Attributes:
        part: Of the experiment: the section it is for.
        kind: How it is run: "run" (the simulator), "synchronous", "as_it_ran" or "flower".
        label: What it is called in tables.
        seed: Of all its chance.
        given: All that its kind asks for.
    """

    part: str
    kind: str
    label: str
    seed: int
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Unique, and fit for a file."""
        values = "_".join(f"{key}-{value}" for key, value in sorted(self.given.items()))
        whole = f"{self.part}_{self.kind}_{self.label}_{values}_{self.seed}"
        return "".join(c if c.isalnum() or c in "._-" else "-" for c in whole)


def seeds(part: str, kind: str, label: str, count: int = SEEDS, **given: Any) -> list[Case]:
    """The same with every seed."""
    return [Case(part, kind, label, seed, given) for seed in range(count)]


def history() -> Iterator[Case]:
    """Part 1: 2018, as it ran and as it was described."""
    for rule, clients in product(("average", "weighted", "mimic", "copy"), (1, 2, 4, 8)):
        for kind in ("as_it_ran", "as_described"):
            yield from seeds("2018", kind, rule, clients=clients)


def yardsticks() -> Iterator[Case]:
    """The single client (1) and the synchronous limit, each at every rate."""
    for clients, optimizer in product(CROWDS, RATES):
        for rate in RATES[optimizer]:
            yield from seeds("yardsticks", "synchronous", optimizer, clients=clients, rate=rate)


FEDBUFF = {"name": "fedbuff", "size": 8}
RULES: dict[str, dict[str, Any]] = {
    "auto": {"rule": {"name": "auto"}},
    "delta": {"rule": {"name": "delta"}, "optimizer": "sgd", "rate": 0.2},
    "average": {"rule": {"name": "average"}, "optimizer": "sgd", "rate": 0.3},
    "weighted": {"rule": {"name": "weighted"}, "optimizer": "sgd", "rate": 0.3},
    "copy": {"rule": {"name": "copy"}, "optimizer": "sgd", "rate": 0.3},
    "fedasync": {"rule": {"name": "fedasync"}, "optimizer": "sgd", "rate": 0.3},
    "fedbuff": {"rule": FEDBUFF, "optimizer": "sgd", "rate": 0.3},
    "fedavg": {"rule": {"name": "fedavg", "size": 8}, "optimizer": "sgd", "rate": 0.3},
    "fedbuff + adam": {"rule": FEDBUFF, "server": {"name": "adam", "rate": 0.01}, "optimizer": "sgd", "rate": 0.1},
    "fedbuff + nesterov": {"rule": FEDBUFF, "server": {"name": "nesterov"}, "optimizer": "sgd", "rate": 0.3},
    "mimic": {"rule": {"name": "mimic"}, "optimizer": "sgd", "rate": 0.3},
}  # fmt: skip


def rules() -> Iterator[Case]:
    """Part 2: all rules, from 1 client to 64."""
    for clients in CROWDS:
        yield from seeds("rules", "run", "auto", recipe="auto", clients=clients)
    for label, clients in product([label for label in RULES if label != "auto"], (1, 4, 8, 16)):
        yield from seeds("rules", "run", label, count=2, recipe=label, clients=clients)


def hardship() -> Iterator[Case]:
    """Part 3: speeds, churn, skewed data, harm."""
    steady = {"clients": 16}
    for label in ("auto", "weighted", "delta", "fedbuff"):
        yield from seeds("hardship", "run", f"{label}, equal", recipe=label, **steady)
        yield from seeds(
            "hardship", "run", f"{label}, sigma 1, 20 % leave", recipe=label, sigma=1.0, leaving=0.2, **steady
        )
        yield from seeds("hardship", "run", f"{label}, Dirichlet 0.3", recipe=label, dirichlet=0.3, **steady)
    yield from seeds("hardship", "run", "auto, sigma 1", recipe="auto", sigma=1.0, **steady)
    for sigma, steps, rate in product((0.0, 1.0), (4, 16), (0.2, 0.4)):
        yield from seeds("hardship", "flower", "Flower's FedAvg", clients=16, sigma=sigma, steps=steps, rate=rate)


def everything() -> list[Case]:
    """All cases, the quick answers first."""
    return [*rules(), *hardship(), *yardsticks(), *history()]
