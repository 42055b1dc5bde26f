"""First weights."""

import numpy as np
import pytest

from webnn.core.initial import initial_weights
from webnn.core.tensors import TensorSpec
from webnn.errors import Invalid


def initial(name: str, *shape: int) -> np.ndarray:
    return initial_weights([TensorSpec(name, shape, "float32")], np.random.default_rng(1))


def spread(weights: np.ndarray, limit: float) -> None:
    """Uniform in +-limit: inside, reaching near both ends, centred."""
    assert np.abs(weights).max() <= limit
    assert weights.max() > 0.98 * limit
    assert weights.min() < -0.98 * limit
    assert abs(weights.mean()) < 0.05 * limit


def test_a_dense_kernel_is_glorot_uniform() -> None:
    spread(initial("dense/kernel", 60, 40), np.sqrt(6 / (60 + 40)))


def test_a_convolution_counts_its_receptive_field() -> None:
    spread(initial("conv/kernel", 5, 5, 8, 16), np.sqrt(6 / (25 * (8 + 16))))


def test_an_embedding_is_small() -> None:
    spread(initial("words/embeddings", 100, 20), 0.05)


@pytest.mark.parametrize("name", ["dense/bias", "norm/beta", "norm/moving_mean"])
def test_what_is_added_begins_at_zero(name: str) -> None:
    assert initial(name, 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize("name", ["norm/gamma", "norm/moving_variance"])
def test_what_is_multiplied_begins_at_one(name: str) -> None:
    assert initial(name, 3).tolist() == [1, 1, 1]


def test_tensors_stand_in_the_order_of_their_specs() -> None:
    specs = [TensorSpec("a/gamma", (2,), "float32"), TensorSpec("a/bias", (3,), "float32")]
    weights = initial_weights(specs, np.random.default_rng(1))
    assert weights.tolist() == [1, 1, 0, 0, 0]
    assert weights.dtype == np.float32


def test_the_same_source_of_chance_gives_the_same_weights() -> None:
    specs = [TensorSpec("dense/kernel", (4, 4), "float32")]
    once, again, other = (initial_weights(specs, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert once.tobytes() == again.tobytes() != other.tobytes()


@pytest.mark.parametrize(("name", "shape"), [("dense/alpha", (3,)), ("dense/kernel", (3,)), ("kernels", (3, 3))])
def test_a_weight_without_a_default_is_invalid_and_named(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(Invalid, match=name):
        initial(name, *shape)
