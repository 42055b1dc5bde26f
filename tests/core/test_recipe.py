"""What is not weights that learn, and what gathers: the road of an update through a recipe."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from webnn.core.merge import Accumulator, Contribution, Folded, Merged, Step, merge
from webnn.core.optimizers import Adam, Momentum
from webnn.core.recipe import Merging, Recipe
from webnn.core.robust import Median, TrimmedMean
from webnn.core.rules import Average, Copy, Delta, FedBuff
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


def test_a_variance_is_never_below_0_whatever_was_sent() -> None:
    """Rounding to 8 bits, or a lie."""
    found = merged(Recipe(EVERY), [1, 0, 0.5], [0, 0, -0.75])
    assert found.weights.tolist() == [1, 0, 0]
    assert merged(Recipe(Average()), [1, 0, 0.5], [0, 0, -9]).weights.tolist() == [1, 0, 0]


def test_what_a_median_combines_are_the_statistics_themselves_not_how_they_moved() -> None:
    """Three clients see a variance of 0.01; two of them started when it was 1, one when it was 0.01 already."""
    recipe, seen = Recipe(EVERY, (Median(3),)), np.float32(0.01)
    updates = [
        Contribution(np.float32([0, 0, seen - base]), np.float32([1, 0, base]), 0, 1, 8) for base in (1.0, 1.0, seen)
    ]
    head = np.float32([1, 0, seen])
    found = merge(Merging(recipe, NORMALISED), head, 0, 2, updates, zeros(recipe.remembers, 3))
    assert found.weights == pytest.approx([1, 0, 0.01])


def test_a_copy_that_is_not_finite_is_refused_even_if_the_next_would_hide_it() -> None:
    huge, update = np.float32([3e38]), Contribution(np.float32([3e38]), np.float32([3e38]), 0, 1, 8, accuracy=0.5)
    with np.errstate(over="ignore"), pytest.raises(Invalid, match="infinite"):
        merge(Merging(Recipe(Copy())), huge, 0, 0, [update], zeros(Recipe(Copy()).remembers, 1))


class Odd(Delta, frozen=True, tag_field="name", tag="odd"):
    """A rule of another package, with a discount of its own."""

    says: float = 1.0

    def discount(self, staleness: int) -> float:
        return self.says


def by(rule: Delta) -> Merged:
    update = Contribution(np.float32([1.0]), None, 0, 1, 8)
    return merge(Merging(Recipe(rule)), np.float32([0.0]), 0, 0, [update], zeros(Shape(), 1))


@pytest.mark.parametrize("says", [-0.5, 1.5, float("nan")])
def test_a_discount_out_of_its_range_is_refused(says: float) -> None:
    with pytest.raises(Invalid, match=r"not in \[0, 1\]"):
        by(Odd(says=says))


@pytest.mark.parametrize("says", [1, True, np.float64(0.5)])
def test_a_discount_of_another_kind_of_number_is_recorded_as_a_float(says: float) -> None:
    assert type(by(Odd(says=says)).folded[0].discount) is float


def test_a_rule_that_puts_other_weights_in_their_place_is_refused() -> None:
    class Rebinding(Odd, frozen=True, tag_field="name", tag="rebinding"):
        def fold(self, into: Accumulator, update: Contribution, how: Folded, step: Step) -> None:
            into.weights = into.weights + update.delta

    with pytest.raises(Invalid, match="rebinding puts other weights"):
        by(Rebinding())


def test_what_is_trimmed_is_not_less_for_want_of_a_last_bit() -> None:
    vectors = [np.float32([value]) for value in range(49)]
    vectors[0][0], vectors[48][0] = -1e9, 1e9
    assert TrimmedMean(49, share=1 / 49).combine(vectors) == pytest.approx([24])
