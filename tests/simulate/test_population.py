"""Who takes part."""

import numpy as np
import pytest

from webnn.simulate.population import Character, Population, characters, harmed, successor

LABELS = np.repeat(np.arange(10), 100)


def drawn(population: Population, seed: int = 1) -> list[Character]:
    return characters(population, LABELS, np.random.default_rng(seed))


def test_equal_clients_have_speed_1_and_are_there_from_the_beginning() -> None:
    for one in drawn(Population(clients=3)):
        assert (one.speed, one.arrives, one.stays, one.examples, one.attack) == (1.0, 0.0, None, None, None)


def test_spread_speeds_have_the_same_total() -> None:
    speeds = [one.speed for one in drawn(Population(clients=200, sigma=1.0))]
    assert np.mean(speeds) == pytest.approx(1.0)
    assert np.std(np.log(speeds)) == pytest.approx(1.0, abs=0.2)


def test_a_share_leaves_and_a_share_means_harm() -> None:
    found = drawn(Population(clients=20, leaving=0.2, malicious=0.25, attack="scaled"))
    assert sum(one.stays is not None for one in found) == 4
    assert sum(one.attack == "scaled" for one in found) == 5


def test_skewed_data_is_parted_without_rest_and_small_alphas_skew_it_more() -> None:
    def kinds(alpha: float) -> float:
        parts = [one.examples for one in drawn(Population(clients=10, dirichlet=alpha))]
        assert set(np.concatenate(parts)) == set(range(1000))
        return float(np.mean([len(np.unique(LABELS[part])) for part in parts]))

    assert kinds(0.05) < 5 < kinds(100.0)


def test_nobody_is_left_without_data() -> None:
    for seed in range(20):
        assert all(len(one.examples) for one in drawn(Population(clients=60, dirichlet=0.01), seed))


def test_attacks() -> None:
    delta, chance = np.float32([3.0, -4.0]), np.random.default_rng(1)
    assert harmed(None, delta, chance).tolist() == [3, -4]
    assert harmed("label_flip", delta, chance).tolist() == [3, -4]  # its labels were flipped, not its delta
    assert harmed("sign_flip", delta, chance).tolist() == [-3, 4]
    assert harmed("scaled", delta, chance).tolist() == [30, -40]
    assert np.linalg.norm(harmed("random", delta, chance)) == pytest.approx(5)


def test_who_replaces_another_is_like_it_but_for_the_stay() -> None:
    chance = np.random.default_rng(1)
    population = Population(clients=1, leaving=1.0, malicious=1.0, arrivals=30.0, sigma=1.0, dirichlet=1.0)
    (one,) = drawn(population)
    other = successor(one, population, chance)
    assert (other.speed, other.attack, other.arrives) == (one.speed, one.attack, 0.0)
    assert other.examples is one.examples
    assert other.stays != one.stays
