"""What is not weights that learn, and what gathers: the road of an update through a recipe."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webnn.core.merge import Contribution, Merged, merge
from webnn.core.optimizers import Adam, Momentum
from webnn.core.recipe import Merging, Recipe
from webnn.core.robust import Median
from webnn.core.rules import Average, Delta, FedBuff
from webnn.core.staleness import Constant
from webnn.core.state import Shape, decode_state, zeros
from webnn.core.tensors import TensorSpec
from webnn.errors import Invalid

NORMALISED = (
    TensorSpec(name="norm/gamma", shape=(1,), dtype="float32"),
    TensorSpec(name="norm/moving_mean", shape=(1,), dtype="float32"),
    TensorSpec(name="norm/moving_variance", shape=(1,), dtype="float32"),
)
EVERY = Delta(discounting=Constant())


def merged(recipe: Recipe, weights: list[float], *deltas: list[float], version: int = 0) -> Merged:
    """Deltas of clients who all started from version 0, with these weights."""
    base = np.float32(weights)
    updates = [Contribution(np.float32(delta), base, 0, 1, 8) for delta in deltas]
    return merge(Merging(recipe, NORMALISED), base, 0, version, updates, zeros(recipe.remembers, base.size))


def test_statistics_are_not_added_up() -> None:
    """Gamma moves four times, the mean to the mean of what four clients saw."""
    found = merged(Recipe(EVERY), [1, 0, 1], [1, 2, 0], [1, 4, 0], [1, 6, 0], [1, 8, 0])
    assert found.weights == pytest.approx([5, 5, 1])


def test_a_statistic_that_is_stale_counts_little() -> None:
    found = merged(Recipe(EVERY), [1, 0, 1], [1, 8, 0], version=3)
    assert found.weights.tolist() == [2, 2, 1]


@pytest.mark.parametrize("optimizer", [Momentum(), Adam()])
def test_no_optimizer_moves_statistics(optimizer: Momentum | Adam) -> None:
    found = merged(Recipe(EVERY, optimizer=optimizer), [1, 0, 1], [0, 8, 2])
    assert found.weights.tolist() == [1, 8, 3]


def test_no_buffer_keeps_statistics_waiting() -> None:
    found = merged(Recipe(FedBuff(2, discounting=Constant())), [1, 0, 1], [4, 8, 2])
    assert found.weights.tolist() == [1, 8, 3]


@given(st.lists(st.floats(-0.5, 9, width=32), max_size=8), st.integers(0, 5))
def test_a_variance_never_leaves_what_was_seen(deltas: list[float], version: int) -> None:
    found = merged(Recipe(EVERY), [1, 0, 0.5], *([0, 0, delta] for delta in deltas), version=version)
    seen = [0.5, *(0.5 + delta for delta in deltas)]
    assert min(seen) - 1e-6 <= found.weights[2] <= max(seen) + 1e-6


def test_a_model_with_statistics_needs_the_base_whatever_the_rule() -> None:
    assert Merging(Recipe(EVERY), NORMALISED).needs_base
    assert not Merging(Recipe(EVERY), NORMALISED[:1]).needs_base


def test_rules_of_whole_models_mix_statistics_like_weights() -> None:
    assert merged(Recipe(Average()), [1, 0, 1], [2, 8, -1]).weights.tolist() == [2, 4, 0.5]


def test_a_liar_does_not_move_the_statistics_of_a_median() -> None:
    found = merged(Recipe(EVERY, (Median(3),)), [1, 0, 1], [1, 8, 0], [1, 8, 0], [-99, 1e9, 1e9])
    assert found.weights.tolist() == [2, 4, 1]  # of staleness 1 on average, so half of 8


def test_a_state_of_another_length_is_refused() -> None:
    with pytest.raises(Invalid, match="12 bytes of state where 20 were due"):
        decode_state(Shape(scalars=1, vectors=1), 3, bytes(12))
