"""Runs one case and gives what came of it."""

import json
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from cases import LONGEST_FLOWER, RECIPES, Case

from webnn.core import spec as specs
from webnn.core.initial import initial_weights
from webnn.core.spec import Spec
from webnn.core.wire import Vector
from webnn.datasets import Dataset, mnist
from webnn.simulate.learner import Practice
from webnn.simulate.learner_tensorflow import TensorFlowLearner
from webnn.simulate.population import Population, characters
from webnn.simulate.run import Goal, Simulation, simulate

CHECKOUT = Path(__file__).parents[1]
TARGET, EVERY, BATCH = 0.98, 4, 64
LIMIT = {1: 1500.0, 4: 800.0, 8: 600.0, 32: 300.0, 64: 200.0}  # else 400
LONGEST = {1: 1500.0, 4: 500.0, 8: 300.0, 16: 250.0, 32: 200.0, 64: 180.0}  # for the yardsticks
SHARD = {"sha256": "0" * 64, "bytes": 785, "examples": 1}


@cache
def document() -> dict[str, Any]:
    """The report's network."""
    found: dict[str, Any] = json.loads((CHECKOUT / "examples" / "mnist" / "spec.json").read_text())
    return found


@cache
def data(folder: Path) -> Dataset:
    """MNIST."""
    return mnist(folder, np.random.default_rng(0))


@cache
def learner(folder: Path) -> tuple[Spec, TensorFlowLearner]:
    """One that needs no run around it."""
    whole = document() | {"data": document()["data"] | {"train": [SHARD], "validation": [SHARD]}}
    spec = specs.parse(specs.encode(whole))
    return spec, TensorFlowLearner(spec, data(folder))


def limit(clients: int) -> float:
    """The longest that a case may take."""
    return LIMIT.get(clients, 400.0)


def run(case: Case, folder: Path) -> dict[str, Any]:
    """Through the simulator, as `webnn simulate` does it."""
    given = dict(case.given)
    recipe = dict(RECIPES[given.pop("recipe")])
    recipe |= {"rate": given.pop("rate")} if "rate" in given else {}
    merge = {"rule": recipe["rule"]} | ({"optimizer": recipe["server"]} if "server" in recipe else {})
    merge |= {"robust": [recipe["robust"]]} if "robust" in recipe else {}
    training = {"loss": "sparseCategoricalCrossentropy", "local_steps": 4, "batch_size": BATCH}
    training |= {"optimizer": recipe["optimizer"], "learning_rate": recipe["rate"]} if "rate" in recipe else {}
    goal = Goal(given.pop("target", TARGET), given.pop("limit", limit(given["clients"])), given.pop("every", EVERY))
    population = msgspec.convert(given, Population)
    simulation = Simulation(
        document() | {"merge": merge, "training": training}, data(folder), TensorFlowLearner, population, case.seed
    )
    found: dict[str, Any] = msgspec.to_builtins(simulate(simulation, goal))
    found["staleness"] = [float(p) for p in np.percentile(found["staleness"] or [0], [50, 95])]
    found["most"] = max(point[2] for point in found.pop("curve"))
    return found


def batches(count: int, size: int, chance: np.random.Generator) -> Iterator[np.ndarray]:
    """Rows of the training set, pass after pass."""
    order = chance.permutation(count)
    while True:
        while len(order) < size:
            order = np.concatenate([order, chance.permutation(count)])
        yield order[:size]
        order = order[size:]


def watched(
    weights: Callable[[], Vector], step: Callable[[], None], folder: Path, target: float, longest: float
) -> dict[str, Any]:
    """Steps of one unit of time each, evaluated as in the simulator, until the target."""
    accuracy = 0.0
    for time in range(1, int(longest) + 1):
        step()
        if time % EVERY == 0:
            accuracy = learner(folder)[1].evaluate(weights()).accuracy
            if accuracy >= target:
                return {"time": time, "accuracy": accuracy}
    return {"time": None, "accuracy": accuracy}


def synchronous(case: Case, folder: Path) -> dict[str, Any]:
    """One optimizer step a unit of time on all clients' batches together: communication is free, nobody is late."""
    spec, model = learner(folder)
    chance, train = np.random.default_rng(case.seed), data(folder).train
    clients, practice = case.given["clients"], Practice(case.label, case.given["rate"])
    rows = batches(len(train.inputs), clients * BATCH, chance)
    now = [initial_weights(spec.weights, chance), model.fresh()]

    def step() -> None:
        taken = next(rows)
        learned = model.train(now[0], now[1], train.inputs[taken][None], train.targets[taken][None], practice)
        now[:] = learned.weights, learned.memory

    goal = case.given.get("target", TARGET), case.given.get("limit", LONGEST[clients])
    return watched(lambda: now[0], step, folder, *goal)


def flower(case: Case, folder: Path) -> dict[str, Any]:
    """Flower's FedAvg: rounds of so many local steps for everybody, each as long as the slowest takes."""
    from flwr.common import Code, FitRes, Status, ndarrays_to_parameters, parameters_to_ndarrays  # noqa: PLC0415
    from flwr.server.strategy import FedAvg  # noqa: PLC0415

    spec, model = learner(folder)
    given, chance, train = case.given, np.random.default_rng(case.seed), data(folder).train
    population = Population(clients=given["clients"], sigma=given["sigma"])
    slowest = min(one.speed for one in islice(characters(population, train.targets, chance), given["clients"]))
    steps, practice = given["steps"], Practice("sgd", given["rate"])
    rows = batches(len(train.inputs), steps * BATCH, chance)
    weights, strategy, time = initial_weights(spec.weights, chance), FedAvg(), 0.0
    accuracy, rounds = 0.0, 0
    while time < LONGEST_FLOWER:
        answers: list[Any] = []
        for _ in range(given["clients"]):
            taken = next(rows).reshape(steps, BATCH)
            learned = model.train(weights, model.fresh(), train.inputs[taken], train.targets[taken], practice)
            parameters = ndarrays_to_parameters([learned.weights])
            answers.append((None, FitRes(Status(Code.OK, ""), parameters, steps * BATCH, {})))
        aggregated, _ = strategy.aggregate_fit(rounds + 1, answers, [])
        assert aggregated is not None
        weights, time, rounds = parameters_to_ndarrays(aggregated)[0], time + steps / slowest, rounds + 1
        accuracy = model.evaluate(weights).accuracy
        if accuracy >= TARGET:
            return {"time": time, "accuracy": accuracy}
    return {"time": None, "accuracy": accuracy}
