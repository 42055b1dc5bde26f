"""Our rules, optimizers and robust folds against Flower's, on random arrays.

Flower wants other versions of what both need, so it lives in an environment of its own: `make test` sets it up.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from webnn.core.merge import Contribution, Merged, merge
from webnn.core.optimizers import Adagrad, Adam, Momentum, Yogi
from webnn.core.recipe import Merging, Recipe
from webnn.core.robust import Median, MultiKrum, TrimmedMean
from webnn.core.rules import Delta, FedAvg
from webnn.core.staleness import Constant
from webnn.core.state import zeros

CHECKOUT = Path(__file__).parents[2]
PYTHON = CHECKOUT / "build" / "experiments" / "bin" / "python"
PARAMETERS, CLIENTS, ROUNDS = 1000, 10, 5

EVERY = Delta(discounting=Constant())
MEAN = FedAvg(size=CLIENTS)
RECIPES = {
    "fedavg": Recipe(MEAN),
    "momentum": Recipe(MEAN, optimizer=Momentum(rate=0.5, momentum=0.9)),
    "adam": Recipe(MEAN, optimizer=Adam(rate=0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-3)),
    "yogi": Recipe(MEAN, optimizer=Yogi(rate=0.1, beta_1=0.9, beta_2=0.99, epsilon=1e-3)),
    "adagrad": Recipe(MEAN, optimizer=Adagrad(rate=0.1, epsilon=1e-3)),
    "median": Recipe(EVERY, (Median(CLIENTS),)),
    "trimmed_mean": Recipe(EVERY, (TrimmedMean(CLIENTS, share=0.2),)),
    "krum": Recipe(EVERY, (MultiKrum(CLIENTS, malicious=2, keep=1),)),
    "multi_krum": Recipe(EVERY, (MultiKrum(CLIENTS, malicious=2, keep=3),)),
}


@pytest.fixture(scope="module")
def given() -> dict[str, np.ndarray]:
    """Directions that agree, and change from round to round."""
    chance = np.random.default_rng(2018)
    common = chance.normal(size=(ROUNDS, 1, PARAMETERS))
    deltas = 0.1 * (common + chance.normal(size=(ROUNDS, CLIENTS, PARAMETERS)))
    return {
        "base": chance.normal(size=PARAMETERS).astype(np.float32),
        "deltas": deltas.astype(np.float32),
        "examples": chance.integers(1, 100, CLIENTS).astype(np.float32),
    }


@pytest.fixture(scope="module")
def flower(given: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, np.ndarray]]:
    if not PYTHON.exists():
        pytest.skip("Flower is not set up: make build/experiments/.stamp")
    folder = tmp_path_factory.mktemp("flower")
    np.savez(folder / "given.npz", **given)
    script = Path(__file__).with_name("flower.py")
    subprocess.run([PYTHON, script, folder / "given.npz", folder / "found.npz"], check=True, capture_output=True)
    with np.load(folder / "found.npz") as found:
        yield dict(found)


@pytest.mark.parametrize("name", RECIPES)
def test_ours_is_flowers(name: str, given: dict[str, np.ndarray], flower: dict[str, np.ndarray]) -> None:
    recipe, weights = RECIPES[name], given["base"]
    now = Merged(weights, 0, 0, (), zeros(recipe.remembers, PARAMETERS))
    for of_round in given["deltas"]:
        updates = [
            Contribution(delta, None, now.version, 1, int(n))
            for delta, n in zip(of_round, given["examples"], strict=True)
        ]
        now = merge(Merging(recipe), now.weights, 0, now.version, updates, now.state)
    np.testing.assert_allclose(now.weights, flower[name], rtol=0, atol=1e-6)
    assert np.abs(now.weights - weights).max() > 0.05, "nothing was learnt that could differ"
