"""The merge rules: worked values, and the laws that the commit protocol stands on."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from msgspec.structs import replace

from webnn.core.merge import BLOCK, Contribution, Merged, Rule, add_scaled, merge, mix, norm
from webnn.core.rules import AnyRule, Average, Delta, Weighted
from webnn.core.staleness import Constant, Cutoff, Hinge, Polynomial
from webnn.errors import Invalid

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "rules.json").read_text())
SIZE = 5
VERSION = 6

vectors = arrays(np.float32, SIZE, elements=st.floats(-1e6, 1e6, width=32))
rules = st.one_of(
    st.just(Average()),
    st.just(Weighted()),
    st.builds(
        Delta,
        st.floats(0.01, 2.0),
        st.one_of(
            st.just(Constant()),
            st.builds(Polynomial, st.floats(0, 3)),
            st.builds(Hinge, st.floats(0, 10), st.integers(0, 5)),
            st.builds(Cutoff, st.integers(0, 6)),
        ),
    ),
)
contributions = st.builds(
    Contribution,
    delta=vectors,
    base=vectors,
    base_version=st.integers(0, VERSION),
    steps=st.integers(1, 50),
    examples=st.integers(1, 1000),
)


def vector(values: list[float]) -> np.ndarray:
    return np.array(values, np.float32)


def contribution(document: dict[str, Any]) -> Contribution:
    base = vector(document["base"]) if "base" in document else None
    return Contribution(vector(document["delta"]), base, document["base_version"], document["steps"], 8)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["description"])
def test_worked_by_hand(golden: dict[str, Any]) -> None:
    rule = msgspec.convert(golden["rule"], AnyRule)
    updates = [contribution(update) for update in golden["updates"]]

    merged = merge(rule, vector(golden["weights"]), golden["steps"], golden["version"], updates)

    expected = golden["expected"]
    assert merged.weights.tolist() == expected["weights"]
    assert (merged.steps, merged.version) == (expected["steps"], expected["version"])
    assert [[one.staleness, one.discount] for one in merged.folded] == expected["folded"]


@given(rules, vectors, st.integers(0, 60), st.lists(contributions, max_size=6), st.data())
def test_grouping_does_not_matter_bit_for_bit(
    rule: Rule, weights: np.ndarray, steps: int, updates: list[Contribution], data: st.DataObject
) -> None:
    at_once = merge(rule, weights, steps, VERSION, updates)

    cuts = sorted(data.draw(st.lists(st.integers(0, len(updates)), max_size=3)))
    grouped = Merged(weights, steps, VERSION, ())
    for start, end in zip([0, *cuts], [*cuts, len(updates)], strict=True):
        part = merge(rule, grouped.weights, grouped.steps, grouped.version, updates[start:end])
        grouped = replace(part, folded=grouped.folded + part.folded)

    assert grouped.weights.tobytes() == at_once.weights.tobytes()
    assert replace(grouped, weights=at_once.weights) == at_once


@given(rules, vectors, st.lists(contributions, min_size=1, max_size=3))
def test_a_merge_leaves_what_it_was_given_alone(rule: Rule, weights: np.ndarray, updates: list[Contribution]) -> None:
    given_ = [weights, *(u.delta for u in updates), *(u.base for u in updates)]
    before = [array.tobytes() for array in given_]
    for array in given_:
        array.flags.writeable = False

    merged = merge(rule, weights, 3, VERSION, updates)

    assert [array.tobytes() for array in given_] == before
    assert not np.shares_memory(merged.weights, weights)


@given(rules, vectors, st.integers(0, 60), st.lists(contributions, max_size=6))
def test_the_version_counts_what_was_merged_and_the_steps_never_go_back(
    rule: Rule, weights: np.ndarray, steps: int, updates: list[Contribution]
) -> None:
    merged = merge(rule, weights, steps, VERSION, updates)

    taken = [u for u, one in zip(updates, merged.folded, strict=True) if one.discount > 0]
    assert merged.version == VERSION + len(taken)
    assert merged.steps == max([steps, *(u.steps for u in taken)])


@given(vectors, st.floats(0.1, 3.0), st.integers(1, 6))
def test_a_single_stale_update_is_shrunk_and_its_discount_is_never_normalised_away(
    delta: np.ndarray, exponent: float, staleness: int
) -> None:
    rule = Delta(discounting=Polynomial(exponent))
    stale = Contribution(delta, None, VERSION - staleness, 1, 8)

    merged = merge(rule, np.zeros(SIZE, np.float32), 0, VERSION, [stale])

    shrunk = delta.astype(np.float64) * (1 + staleness) ** -exponent
    np.testing.assert_allclose(merged.weights, shrunk, rtol=1e-6, atol=1e-30)


def test_two_stale_updates_are_not_normalised_by_their_sum_either() -> None:
    stale = Contribution(vector([8.0]), None, 0, 1, 8)
    merged = merge(Delta(discounting=Hinge(1.0, 0)), vector([0.0]), 0, 1, [stale, stale])
    # Staleness 1 and 2: 8 / 2 + 8 / 3, where normalised discounts would always make 8.
    assert merged.weights.tolist() == pytest.approx([20 / 3])


def test_an_update_without_influence_is_no_version() -> None:
    useless = Contribution(vector([9.0]), None, 0, 50, 8)
    merged = merge(Delta(discounting=Cutoff(0)), vector([1.0]), 3, 5, [useless])
    assert (merged.weights.tolist(), merged.steps, merged.version) == ([1.0], 3, 5)
    assert [(one.staleness, one.discount) for one in merged.folded] == [(5, 0.0)]


def test_no_updates_give_the_same_weights() -> None:
    merged = merge(Average(), vector([1.0, -0.0]), 3, 5, [])
    assert merged.weights.tobytes() == vector([1.0, -0.0]).tobytes()


@pytest.mark.parametrize("rule", [Average(), Weighted()])
def test_rules_of_whole_models_ask_for_the_base_and_refuse_to_go_without(rule: Rule) -> None:
    assert rule.needs_base
    with pytest.raises(Invalid, match="weights that the update started from"):
        merge(rule, vector([1.0]), 0, 0, [Contribution(vector([1.0]), None, 0, 1, 8)])


def test_delta_does_without_the_base() -> None:
    assert not Delta().needs_base


def test_updates_are_consumed_one_at_a_time() -> None:
    seen: list[float] = []
    weights = vector([0.0])

    def one_by_one() -> Any:
        for value in (1.0, 2.0):
            delta = vector([value])
            yield Contribution(delta, None, 0, 1, 8)
            # The next is asked for only after this one was folded in, so its memory may be used again.
            seen.append(value)
            delta[:] = np.nan

    merged = merge(Delta(discounting=Constant()), weights, 0, 0, one_by_one())
    assert merged.weights.tolist() == [3.0]
    assert seen == [1.0, 2.0]


def test_models_larger_than_a_block_are_merged_to_the_last_element() -> None:
    weights = np.arange(2 * BLOCK + 3, dtype=np.float32)
    delta, base = np.full_like(weights, 2.0), weights + 1

    added, mixed = weights.copy(), weights.copy()
    add_scaled(added, delta, 0.5)
    mix(mixed, base, delta, 0.5)

    np.testing.assert_array_equal(added, weights + 1)
    np.testing.assert_array_equal(mixed, weights + 1.5)


@given(arrays(np.float32, SIZE, elements=st.floats(-(2**60), 2**60, width=32)))
def test_the_norm_is_euclids(values: np.ndarray) -> None:
    assert norm(values) == pytest.approx(float(np.linalg.norm(values.astype(np.float64))), rel=1e-5, abs=1e-15)


def test_the_norm_of_numbers_whose_squares_overflow_is_still_right() -> None:
    assert norm(vector([3e30, 4e30])) == pytest.approx(5e30)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_norm_of_what_is_not_finite_is_not_finite(value: float) -> None:
    assert not np.isfinite(norm(vector([1.0, value, 2.0])))


def test_the_norm_of_what_is_not_finite_takes_no_copy_of_the_model() -> None:
    """A single NaN of one client must not take a function beyond its memory, again and again."""
    vector = np.zeros(4_000_000, np.float32)
    vector[-1] = np.nan
    tracemalloc.start()
    try:
        assert np.isnan(norm(vector))
        assert tracemalloc.get_traced_memory()[1] < vector.nbytes // 2
    finally:
        tracemalloc.stop()
