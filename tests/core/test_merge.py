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
from webnn.core.optimizers import Adagrad, Adam, Momentum, Nesterov, Yogi
from webnn.core.recipe import Merging, Recipe
from webnn.core.robust import Median, MultiKrum, NormClip, TrimmedMean
from webnn.core.rules import (
    Auto,
    Average,
    Copy,
    Delta,
    FedAsync,
    FedAvg,
    FedBuff,
    Mimic,
    MimicAsPrinted,
    Weighted,
)  # fmt: skip
from webnn.core.staleness import Constant, Cutoff, Hinge, Polynomial
from webnn.core.state import decode_state, encode_state, zeros
from webnn.core.tensors import TensorSpec
from webnn.errors import Invalid

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "rules.json").read_text())
SIZE = 5
VERSION = 6
TENSORS = (
    TensorSpec(name="norm/gamma", shape=(2,), dtype="float32"),
    TensorSpec(name="norm/moving_mean", shape=(1,), dtype="float32"),
    TensorSpec(name="norm/moving_variance", shape=(2,), dtype="float32"),
)

vectors = arrays(np.float32, SIZE, elements=st.floats(-1e6, 1e6, width=32))
discounts = st.one_of(
    st.just(Constant()),
    st.builds(Polynomial, st.floats(0, 3)),
    st.builds(Hinge, st.floats(0, 10), st.integers(0, 5)),
    st.builds(Cutoff, st.integers(0, 6)),
)
adding = st.one_of(
    st.builds(Delta, st.floats(0.01, 2.0), discounts),
    st.builds(FedBuff, st.integers(1, 4), st.floats(0.01, 2.0), discounts),
    st.just(Auto()),
    st.builds(FedAvg, st.integers(1, 4), st.floats(0.01, 2.0), discounts),
)
mixing = st.one_of(
    st.sampled_from([Average(), Weighted(), Mimic(), MimicAsPrinted(), Copy()]),
    st.builds(FedAsync, st.floats(0.01, 1.0), discounts),
)
optimizers = st.one_of(
    st.none(), st.sampled_from([Momentum(), Nesterov(), Adam(), Adam(epsilon=1e-8), Yogi(), Adagrad()])
)
combinations = st.sampled_from([(), (Median(3),), (TrimmedMean(4, share=0.3),), (MultiKrum(5, malicious=1, keep=2),)])
clippings = st.sampled_from([(), (NormClip(1.0),), (NormClip(1e9), NormClip(0.1))])


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    rule = draw(st.one_of(adding, mixing))
    robust = draw(clippings) + (draw(combinations) if rule.combines else ())
    return Recipe(rule, robust, draw(optimizers) if rule.adds else None)


contributions = st.builds(
    Contribution,
    delta=vectors,
    base=vectors,
    base_version=st.integers(0, VERSION),
    steps=st.integers(1, 50),
    examples=st.integers(1, 1000),
    accuracy=st.none() | st.floats(0, 1),
    client=st.sampled_from("abc"),
)


def vector(values: list[float]) -> np.ndarray:
    return np.array(values, np.float32)


def contribution(document: dict[str, Any]) -> Contribution:
    base = vector(document["base"]) if "base" in document else None
    given_ = document["base_version"], document["steps"], document.get("examples", 8), document.get("accuracy")
    return Contribution(vector(document["delta"]), base, *given_)


def merged_by(recipe: Recipe, weights: np.ndarray, steps: int, version: int, updates: list[Contribution]) -> Merged:
    return merge(Merging(recipe), weights, steps, version, updates, zeros(recipe.remembers, weights.size))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden["description"])
def test_worked_by_hand(golden: dict[str, Any]) -> None:
    recipe = msgspec.convert({name: golden[name] for name in ("rule", "robust", "optimizer") if name in golden}, Recipe)
    updates = [contribution(update) for update in golden["updates"]]

    merged = merged_by(recipe, vector(golden["weights"]), golden["steps"], golden["version"], updates)

    expected = golden["expected"]
    assert merged.weights.tolist() == expected["weights"]
    assert (merged.steps, merged.version) == (expected["steps"], expected["version"])
    assert [[one.staleness, one.discount] for one in merged.folded] == expected["folded"]


@given(recipes(), vectors, st.integers(0, 60), st.lists(contributions, max_size=9), st.data())
def test_grouping_does_not_matter_bit_for_bit(
    recipe: Recipe, weights: np.ndarray, steps: int, updates: list[Contribution], data: st.DataObject
) -> None:
    """Nor do the ways through the store between two groups."""
    merging, nothing = Merging(recipe, TENSORS), zeros(recipe.remembers, SIZE)
    with np.errstate(all="ignore"):  # mimic may well end in infinity
        at_once = merge(merging, weights, steps, VERSION, updates, nothing)

        cuts = sorted(data.draw(st.lists(st.integers(0, len(updates)), max_size=3)))
        grouped = Merged(weights, steps, VERSION, (), nothing)
        for start, end in zip([0, *cuts], [*cuts, len(updates)], strict=True):
            state = decode_state(recipe.remembers, SIZE, encode_state(grouped.state))
            part = merge(merging, grouped.weights, grouped.steps, grouped.version, updates[start:end], state)
            grouped = replace(part, folded=grouped.folded + part.folded)

    assert grouped.weights.tobytes() == at_once.weights.tobytes()
    assert encode_state(grouped.state) == encode_state(at_once.state)
    told = [(one.steps, one.version, one.folded) for one in (grouped, at_once)]
    assert told[0] == told[1]


@given(recipes(), vectors, st.lists(contributions, min_size=1, max_size=3))
def test_a_merge_leaves_what_it_was_given_alone(
    recipe: Recipe, weights: np.ndarray, updates: list[Contribution]
) -> None:
    given_ = [weights, *(u.delta for u in updates), *(u.base for u in updates)]
    before = [array.tobytes() for array in given_]
    for array in given_:
        array.flags.writeable = False

    with np.errstate(all="ignore"):
        merged = merged_by(recipe, weights, 3, VERSION, updates)

    assert [array.tobytes() for array in given_] == before
    assert not np.shares_memory(merged.weights, weights)


@given(recipes(), vectors, st.integers(0, 60), st.lists(contributions, max_size=6))
def test_the_version_counts_what_was_merged_and_the_steps_never_go_back(
    recipe: Recipe, weights: np.ndarray, steps: int, updates: list[Contribution]
) -> None:
    with np.errstate(all="ignore"):
        merged = merged_by(recipe, weights, steps, VERSION, updates)

    taken = [u for u, one in zip(updates, merged.folded, strict=True) if one.discount > 0]
    assert merged.version == VERSION + len(taken)
    assert merged.steps == max([steps, *(u.steps for u in taken)])


@given(vectors, st.floats(0.1, 3.0), st.integers(1, 6))
def test_a_single_stale_update_is_shrunk_and_its_discount_is_never_normalised_away(
    delta: np.ndarray, exponent: float, staleness: int
) -> None:
    recipe = Recipe(Delta(discounting=Polynomial(exponent)))
    stale = Contribution(delta, None, VERSION - staleness, 1, 8)

    merged = merged_by(recipe, np.zeros(SIZE, np.float32), 0, VERSION, [stale])

    shrunk = delta.astype(np.float64) * (1 + staleness) ** -exponent
    np.testing.assert_allclose(merged.weights, shrunk, rtol=1e-6, atol=1e-30)


def test_two_stale_updates_are_not_normalised_by_their_sum_either() -> None:
    stale = Contribution(vector([8.0]), None, 0, 1, 8)
    merged = merged_by(Recipe(Delta(discounting=Hinge(1.0, 0))), vector([0.0]), 0, 1, [stale, stale])
    # Staleness 1 and 2: 8 / 2 + 8 / 3, where normalised discounts would always make 8.
    assert merged.weights.tolist() == pytest.approx([20 / 3])


def test_an_update_without_influence_is_no_version() -> None:
    useless = Contribution(vector([9.0]), None, 0, 50, 8)
    merged = merged_by(Recipe(Delta(discounting=Cutoff(0))), vector([1.0]), 3, 5, [useless])
    assert (merged.weights.tolist(), merged.steps, merged.version) == ([1.0], 3, 5)
    assert [(one.staleness, one.discount) for one in merged.folded] == [(5, 0.0)]


def test_no_updates_give_the_same_weights() -> None:
    merged = merged_by(Recipe(Average()), vector([1.0, -0.0]), 3, 5, [])
    assert merged.weights.tobytes() == vector([1.0, -0.0]).tobytes()


@pytest.mark.parametrize(
    "recipe",
    [
        *(Recipe(rule) for rule in (Average(), Weighted(), Mimic(), MimicAsPrinted(), Copy(), FedAsync())),
        Recipe(Average(), (Median(2),)),
    ],
)
def test_rules_of_whole_models_ask_for_the_base_and_refuse_to_go_without(recipe: Recipe) -> None:
    assert Merging(recipe).needs_base
    with pytest.raises(Invalid, match=r"weights that .* started from"):
        merged_by(recipe, vector([1.0]), 0, 0, [Contribution(vector([1.0]), None, 0, 1, 8)])


@pytest.mark.parametrize("rule", [Delta(), FedBuff(), FedAvg()])
def test_rules_of_deltas_do_without_the_base(rule: Rule) -> None:
    assert not Merging(Recipe(rule)).needs_base


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

    merged = merged_by(Recipe(Delta(discounting=Constant())), weights, 0, 0, one_by_one())
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
