"""What is run: every case of docs/experiments.md, by a name that says what it is.

A case is a few plain values, so that its result can be kept under its name and taken from there.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from webnn.simulate.population import ATTACKS

SEEDS = 4
CROWDS = (1, 4, 8, 16, 32, 64)
RATES = {"sgd": (0.2, 0.4, 0.8), "momentum": (0.02, 0.05, 0.1, 0.2), "adam": (0.0025, 0.005, 0.01, 0.02, 0.03)}
MUON = {"muon": (0.01, 0.02, 0.03, 0.04)}  # no part of the yardsticks: shown beside them
LONGEST_FLOWER = 2000.0
FAR, FAR_CROWDS, FAR_RATES = 0.985, (1, 8, 16, 32, 64), (0.0025, 0.005, 0.01, 0.02, 0.03)
FINALISTS = 3  # of a crowd's rates, the best with one seed; they run with all
TUNED_CROWD, TUNED_LONGEST = 8, 1000
TUNED_RATES = {"sgd": (0.05, 0.1, 0.2, 0.4, 0.8), "muon": (0.005, 0.01, 0.02, 0.03)}


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


# The time that a case took to its target: infinite if it never got there, None if it has not run.
Timed = Callable[[Case], float | None]


def seeds(part: str, kind: str, label: str, count: int = SEEDS, **given: Any) -> list[Case]:
    """The same with every seed."""
    return [Case(part, kind, label, seed, given) for seed in range(count)]


def history() -> Iterator[Case]:
    """Part 1: 2018, as it ran and as it was described."""
    for rule, clients in product(("average", "weighted", "mimic", "copy"), (1, 2, 4, 8)):
        for kind in ("as_it_ran", "as_described"):
            yield from seeds("2018", kind, rule, clients=clients)


def yardsticks(timed: Timed) -> Iterator[Case]:
    """The single client (1) and the synchronous limit, each at every rate with one seed, the best rates with all."""
    for clients, rates in product(CROWDS, (RATES, MUON)):
        tried = [
            Case("yardsticks", "synchronous", optimizer, 0, {"clients": clients, "rate": rate})
            for optimizer in rates
            for rate in rates[optimizer]
        ]
        yield from tried
        if rates is RATES or clients == 1:
            yield from finals(tried, timed, FINALISTS)
        else:
            yield from finals(tried, timed, 1)


def finals(tried: Sequence[Case], timed: Timed, count: int) -> Iterator[Case]:
    """The best of those with all seeds, once all of them have a time; none, if no one got there."""
    times = [timed(case) for case in tried]
    if None not in times and min(time or 0.0 for time in times) < float("inf"):
        for _, case in sorted(zip(times, tried, strict=True), key=lambda one: one[0] or 0.0)[:count]:
            yield from (replace(case, seed=seed) for seed in range(1, SEEDS))


FEDBUFF = {"name": "fedbuff", "size": 8}
HALF = {"name": "delta", "server_rate": 0.5, "discounting": {"name": "constant"}}
ADDING = {"rule": HALF, "optimizer": "muon", "rate": 0.02}
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
    "mimic_as_printed": {"rule": {"name": "mimic_as_printed"}, "optimizer": "sgd", "rate": 0.3},
}  # fmt: skip
# Which part of auto does what: its rule with SGD's steps, other rules with Muon's.
PARTS = {
    "auto, SGD clients": {"rule": {"name": "auto"}, "optimizer": "sgd"},
    "delta, Muon clients": {"rule": {"name": "delta"}, "optimizer": "muon"},
    "weighted, Muon clients": {"rule": {"name": "weighted"}, "optimizer": "muon"},
    "fedbuff, Muon clients": {"rule": FEDBUFF, "optimizer": "muon"},
}
MUON_PART, MUON_PART_RATE = "weighted, Muon clients", 0.02  # the best of those parts, at its best rate
UNTUNED = ("auto", "copy", "mimic", "mimic_as_printed")  # no rate would change what these do
GUARDED: dict[str, dict[str, Any]] = {
    "norm_clip": RULES["auto"] | {"robust": {"name": "norm_clip", "norm": 2.0}},
    "median": ADDING | {"robust": {"name": "median", "size": 20}},
    "trimmed_mean": ADDING | {"robust": {"name": "trimmed_mean", "size": 20, "share": 0.25}},
    "multi_krum": ADDING | {"robust": {"name": "multi_krum", "size": 20, "malicious": 4, "keep": 14}},
}  # fmt: skip
RECIPES = RULES | PARTS | GUARDED


def rules() -> Iterator[Case]:
    """Part 2: all rules, from 1 client to 64."""
    for clients in CROWDS:
        yield from seeds("rules", "run", "auto", recipe="auto", clients=clients)
    for label, clients in product([label for label in RULES if label != "auto"], CROWDS):
        count = 2 if clients < 32 else 1
        yield from seeds("rules", "run", label, count, recipe=label, clients=clients, every=8)
    for clients in CROWDS:
        given = {"recipe": MUON_PART, "clients": clients, "every": 8, "rate": MUON_PART_RATE}
        yield from seeds("rules", "run", MUON_PART, 2, **given)


def tuned(timed: Timed) -> Iterator[Case]:
    """Part 2 once more: what each rule can do with 8 clients, every rate with one seed and the best with all."""
    for label in [label for label in RULES | PARTS if label not in UNTUNED]:
        given = {"recipe": label, "clients": TUNED_CROWD, "limit": TUNED_LONGEST, "every": 8}
        rates = TUNED_RATES[RECIPES[label]["optimizer"]]
        tried = [Case("tuned", "run", label, 0, given | {"rate": rate}) for rate in rates]
        yield from tried
        yield from finals(tried, timed, 1)


def hardship() -> Iterator[Case]:
    """Part 3: speeds, churn, skewed data."""
    steady = {"clients": 16}
    leaving = {"sigma": 1.0, "leaving": 0.2}
    for label, count in (("auto", SEEDS), ("weighted", 2), ("delta", 2), ("fedbuff", 2)):
        given = {"recipe": label, **steady}
        yield from seeds("hardship", "run", f"{label}, equal", count, **given)
        yield from seeds("hardship", "run", f"{label}, sigma 1, 20 % leave", count, **leaving, **given)
        yield from seeds("hardship", "run", f"{label}, Dirichlet 0.3", count, dirichlet=0.3, **given)
    yield from seeds("hardship", "run", "auto, sigma 1", recipe="auto", sigma=1.0, **steady)
    for sigma, steps, rate in product((0.0, 1.0), (4, 16), (0.2, 0.4)):
        yield from seeds("hardship", "flower", "Flower's FedAvg", 2, clients=16, sigma=sigma, steps=steps, rate=rate)


def harm() -> Iterator[Case]:
    """Part 3: one client in five means harm; what accuracy is left after so long."""
    crowd = {"clients": 20, "target": None, "limit": 160, "every": 20}
    for label in ("average", "delta", "auto", *GUARDED):
        yield from seeds("harm", "run", label, count=2, recipe=label, **crowd)
        for attack in ATTACKS:
            yield from seeds("harm", "run", label, count=2, recipe=label, malicious=0.2, attack=attack, **crowd)


def wall(timed: Timed) -> Iterator[Case]:
    """Part 2 again, to 98.5 %, which takes the single client much longer."""
    for clients in FAR_CROWDS:
        longest = {"target": FAR, "limit": 2500 if clients == 1 else 600}
        yield from seeds("wall", "run", "auto", recipe="auto", clients=clients, **longest)
        tried = [
            Case("wall", "synchronous", "adam", 0, {"clients": clients, "rate": rate, **longest}) for rate in FAR_RATES
        ]
        yield from tried
        yield from finals(tried, timed, 1)


def everything(timed: Timed) -> list[Case]:
    """All cases known by now, the quick answers first."""
    return [*hardship(), *yardsticks(timed), *wall(timed), *history(), *rules(), *tuned(timed), *harm()]
