"""What simulated clients learn with: numbers that TF.js is held to as well, and gradients that are gradients."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from webnn.core import spec as specs
from webnn.core.initial import initial_weights
from webnn.core.spec import Spec
from webnn.datasets import Dataset, digits
from webnn.errors import Invalid
from webnn.simulate.learner import Practice
from webnn.simulate.learner_dense import DenseLearner
from webnn.simulate.optimizers import Slots, orthogonal, stepped

TESTS = Path(__file__).parents[1]
GOLDEN = json.loads((TESTS / "golden" / "optimizers.json").read_text())
DOCUMENT: dict[str, Any] = json.loads((TESTS.parent / "examples" / "digits" / "spec.json").read_text())
SHARD = {"sha256": "0" * 64, "bytes": 65, "examples": 1}


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return digits(np.random.default_rng(0))


def a_digits_spec(**members: Any) -> Spec:
    data = DOCUMENT["data"] | {"train": [SHARD], "validation": [SHARD]}
    return specs.parse(specs.encode(DOCUMENT | {"data": data} | members))


@pytest.mark.parametrize("golden", GOLDEN["after"], ids=lambda golden: golden["optimizer"])
def test_steps_are_those_that_pages_take(golden: dict[str, Any]) -> None:
    practice, shapes = Practice(golden["optimizer"], golden["learning_rate"]), [tuple(s) for s in GOLDEN["shapes"]]
    weights, slots = np.float32(GOLDEN["weights"]), Slots.fresh(shapes)
    for gradient in GOLDEN["gradients"]:
        weights, slots = stepped(practice, shapes, weights, slots, np.float32(gradient))
    np.testing.assert_allclose(weights, golden["weights"], atol=1e-6)


def test_adam_and_momentum_by_hand() -> None:
    slots, one = Slots.fresh([(1,)]), np.float32([0.0])
    adam, _ = stepped(Practice("adam", 0.5), [(1,)], one, slots, np.float32([3.0]))
    assert adam == pytest.approx([-0.5], rel=1e-5)  # a first step is as long as the rate
    first, slots = stepped(Practice("momentum", 0.5), [(1,)], one, slots, np.float32([2.0]))
    second, _ = stepped(Practice("momentum", 0.5), [(1,)], first, slots, np.float32([2.0]))
    assert (first[0], second[0]) == (-1.0, pytest.approx(-1.0 - 0.5 * (0.9 * 2 + 2)))


@pytest.mark.parametrize("shape", [(3, 8), (8, 3), (5, 5)])
def test_what_is_made_orthogonal_has_singular_values_near_1(shape: tuple[int, int]) -> None:
    found = orthogonal(np.random.default_rng(1).normal(size=shape).astype(np.float32))
    scale = np.sqrt(max(1.0, shape[0] / shape[1]))
    values = np.linalg.svd(found, compute_uv=False) / scale
    assert 0.3 < values.min() <= values.max() < 1.3


def test_the_gradient_is_the_slope_of_the_loss(dataset: Dataset) -> None:
    spec, chance = a_digits_spec(), np.random.default_rng(2)
    learner, weights = DenseLearner(spec, dataset), initial_weights(spec.weights, chance)
    inputs, targets = dataset.train.inputs[:32], dataset.train.targets[:32]
    gradient = learner.gradient(weights, inputs, targets)
    for _ in range(5):
        direction = chance.normal(size=weights.size).astype(np.float32)
        direction /= np.linalg.norm(direction)
        ahead, behind = (
            learner.train(
                weights + h * direction, learner.fresh(), inputs[None], targets[None], Practice("sgd", 0.0)
            ).loss
            for h in (np.float32(1e-2), np.float32(-1e-2))
        )
        assert (ahead - behind) / 2e-2 == pytest.approx(float(gradient @ direction), abs=2e-3)


def test_training_learns(dataset: Dataset) -> None:
    spec = a_digits_spec()
    learner, chance = DenseLearner(spec, dataset), np.random.default_rng(3)
    weights, memory = initial_weights(spec.weights, chance), learner.fresh()
    before = learner.evaluate(weights)
    for _ in range(60):
        rows = chance.integers(0, len(dataset.train.inputs), (1, 64))
        learned = learner.train(
            weights, memory, dataset.train.inputs[rows], dataset.train.targets[rows], Practice("adam", 0.01)
        )
        weights, memory = learned.weights, learned.memory
    after = learner.evaluate(weights)
    assert before.accuracy < 0.4
    assert after.accuracy > 0.85
    assert after.loss < before.loss


@pytest.mark.parametrize(
    "change",
    [
        {"modelTopology": {"class_name": "Model", "config": {"layers": []}}},
        {"modelTopology": {"class_name": "Sequential", "config": {"layers": [{"class_name": "LSTM", "config": {}}]}}},
    ],
)
def test_a_model_of_other_layers_is_refused(change: dict[str, Any], dataset: Dataset) -> None:
    with pytest.raises(Invalid, match="a chain of dense layers"):
        DenseLearner(a_digits_spec(**change), dataset)


def test_an_optimizer_that_no_client_has_is_refused() -> None:
    with pytest.raises(Invalid, match="lion"):
        stepped(Practice("lion", 1.0), [(1,)], np.float32([0]), Slots.fresh([(1,)]), np.float32([0]))
