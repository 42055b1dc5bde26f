"""Simulated peers: what pages do, in Python."""

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from webnn.core.recipe import Recipe
from webnn.datasets import digits
from webnn.simulate.learner_dense import DenseLearner
from webnn.simulate.peer import Candidate, merged
from webnn.simulate.population import Population
from webnn.simulate.run import Goal, Outcome, Simulation, simulate

MODEL = 2410 * 4  # bytes
RULES = ("average", "weighted", "mimic", "copy")
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "rules.json").read_text())
OURS = [golden for golden in GOLDEN if golden["rule"]["name"] in RULES and "robust" not in golden]
DIGITS = json.loads((Path(__file__).parents[2] / "examples" / "digits" / "spec.json").read_text())


def lived(clients: int, **merge: Any) -> Outcome:
    document = DIGITS | {"merge": {"rule": {"name": "average"}} | merge}
    population = Population(clients=clients)
    simulation = Simulation(document, digits(np.random.default_rng(0)), DenseLearner, population, 0)
    return simulate(simulation, Goal(None, 40.0, 40.0))


@pytest.mark.parametrize("golden", OURS, ids=lambda golden: golden["description"])
def test_a_peer_merges_as_pages_do(golden: dict[str, Any]) -> None:
    rule = msgspec.convert({"rule": golden["rule"]}, Recipe).rule
    own = Candidate(np.float32(golden["weights"]), golden["steps"], None)
    for update in golden["updates"]:
        weights = np.float32(update["base"]) + np.float32(update["delta"])
        own = merged(rule, own, Candidate(weights, update["steps"], update.get("accuracy")))
    np.testing.assert_array_equal(own.weights, np.float32(golden["expected"]["weights"]))
    assert own.steps == golden["expected"]["steps"]


def test_peers_load_the_head_once_and_then_each_others_updates_all_of_which_the_server_merges() -> None:
    alone, three = lived(1, where="peer"), lived(3, where="peer")
    assert (alone.updates, three.updates) == (5, 15)
    swapped = three.bytes_down - 3 * alone.bytes_down
    assert swapped / MODEL == pytest.approx(14, abs=0.1)  # the first to come finds nothing; shards differ by an example


def test_a_peer_that_is_alone_trains_on_as_any_client_would() -> None:
    alone, ordinary = lived(1, where="peer"), lived(1, rule={"name": "delta"})
    assert (alone.updates, alone.accuracy > 0.5) == (ordinary.updates, ordinary.accuracy > 0.5) == (5, True)
