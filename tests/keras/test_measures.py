"""Losses and accuracies, worked out by hand, and the dense models that need no TensorFlow."""

import math

import numpy as np
import pytest

from webnn.core.wire import Array
from webnn.errors import Invalid
from webnn.keras.dense import dense
from webnn.keras.measures import measured

SURE = np.float32([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])


def test_class_indices() -> None:
    found = measured("sparseCategoricalCrossentropy", [np.int32([0, 2])], [SURE])
    assert found.loss == pytest.approx(-math.log(0.5) - math.log(0.1))
    assert (found.right, found.examples) == (1, 2)


def test_classes_one_hot_are_the_same_as_their_indices() -> None:
    one_hot = measured("categoricalCrossentropy", [np.float32([[1, 0, 0], [0, 0, 1]])], [SURE])
    indices = measured("sparseCategoricalCrossentropy", [np.int32([[0], [2]])], [SURE])
    assert one_hot.loss == pytest.approx(indices.loss)
    assert one_hot.right == indices.right


def test_yes_and_no() -> None:
    found = measured("binaryCrossentropy", [np.float32([1, 0])], [np.float32([[0.8], [0.6]])])
    assert found.loss == pytest.approx(-math.log(0.8) - math.log(0.4))
    assert found.right == 1


def test_squares_of_several_values_are_a_mean() -> None:
    found = measured("meanSquaredError", [np.float32([[1, 2]])], [np.float32([[0, 4]])])
    assert found.loss == pytest.approx((1 + 4) / 2)
    assert found.right == 1  # as TF.js counts it: the largest is at the same place


def test_several_outputs_add_their_losses_and_share_their_accuracy() -> None:
    found = measured("meanSquaredError", [np.float32([1]), np.float32([0])], [np.float32([[0]]), np.float32([[0]])])
    assert (found.loss, found.right, found.examples) == (1, 0.5, 1)


def test_certainty_that_is_wrong_costs_much_and_not_everything() -> None:
    found = measured("sparseCategoricalCrossentropy", [np.int32([1])], [np.float32([[1, 0]])])
    assert found.loss == pytest.approx(-math.log(1e-7), rel=1e-3)


@pytest.mark.parametrize("label", [-1, 3])
def test_a_class_that_the_model_does_not_know_is_refused(label: int) -> None:
    with pytest.raises(Invalid, match="no class from 0 to 2"):
        measured("sparseCategoricalCrossentropy", [np.int32([0, label])], [SURE])


@pytest.mark.parametrize(
    ("targets", "outputs"),
    [([np.zeros(2)], [np.zeros((3, 1))]), ([np.zeros(2), np.zeros(2)], [np.zeros((2, 1))])],
)
def test_targets_of_another_model_are_refused(targets: list[Array], outputs: list[Array]) -> None:
    with pytest.raises(Invalid):
        measured("meanSquaredError", targets, outputs)


def model(*layers: dict[str, object]) -> dict[str, object]:
    start = {"class_name": "InputLayer", "config": {"name": "start", "batch_input_shape": [None, 2]}}
    return {"class_name": "Sequential", "config": {"layers": [start, *layers]}}


WEIGHTS = {"d/kernel": np.float32([[1], [2]]), "d/bias": np.float32([0.5])}


@pytest.mark.parametrize(
    ("activation", "gives"),
    [("linear", -2.5), ("relu", 0), ("tanh", math.tanh(-2.5)), ("sigmoid", 1 / (1 + math.exp(2.5))), ("softmax", 1)],
)
def test_a_dense_layer(activation: str, gives: float) -> None:
    predict = dense(model({"class_name": "Dense", "config": {"name": "d", "activation": activation}}), WEIGHTS)
    assert predict is not None
    assert predict([np.float32([[1, -2]])])[0].tolist() == [[pytest.approx(gives)]]


def test_a_dense_layer_may_have_no_bias() -> None:
    bare = model({"class_name": "Dense", "config": {"name": "d", "use_bias": False}})
    predict = dense(bare, {"d/kernel": WEIGHTS["d/kernel"]})
    assert predict is not None
    assert predict([np.float32([[1, -2]])])[0].tolist() == [[-3.0]]


def test_other_layers_are_left_to_keras() -> None:
    assert dense(model({"class_name": "LSTM", "config": {"name": "m"}}), {}) is None
    assert dense(model({"class_name": "Dense", "config": {"name": "d", "activation": "gelu"}}), {}) is None
    assert dense({"class_name": "Functional", "config": {"layers": []}}, {}) is None
