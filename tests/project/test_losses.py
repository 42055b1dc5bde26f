"""What a loss makes of a model's outputs and of the targets: told before anything is uploaded."""

import re
from pathlib import Path
from typing import Any

import pytest
from folders import a_dense, a_folder, a_model, told

TOML = """
[data.inputs.x]
shape = [4]
[data.targets.y]
{shape}
[training]
loss = "{loss}"
"""
DATA = """
import numpy as np
def train():
    return np.zeros((8, 4), "float32"), {targets}
validation = train
"""
SPARSE, CATEGORICAL = "sparseCategoricalCrossentropy", "categoricalCrossentropy"
BINARY, SQUARES = "binaryCrossentropy", "meanSquaredError"
INDICES, ONE_HOT, NUMBERS = "np.zeros(8, int)", "np.eye(3)[np.zeros(8, int)]", "np.zeros((8, 1))"


def problems(parent: Path, loss: str, targets: str, shape: str = "", end: str = "", **last: Any) -> list[str]:
    """Of a model whose last layer is like this."""
    layer = a_dense("class", **({"units": 3, "inputs": 4} | last))
    units = layer["config"]["units"]
    model = a_model([layer], [("class/kernel", [4, units]), ("class/bias", [units])])
    toml, data = TOML.format(loss=loss, shape=shape) + end, DATA.format(targets=targets)
    return told(a_folder(parent, model=model, toml=toml, data=data))


@pytest.mark.parametrize(
    ("loss", "targets", "last"),
    [
        (SPARSE, INDICES, {}),
        (SPARSE, INDICES, {"activation": "sigmoid"}),
        (CATEGORICAL, ONE_HOT, {}),
        (BINARY, NUMBERS, {"units": 1, "activation": "sigmoid"}),
        (BINARY, ONE_HOT, {"activation": "sigmoid"}),
        (SQUARES, NUMBERS, {"units": 1, "activation": "linear"}),
        (SQUARES, ONE_HOT, {"activation": "tanh"}),
    ],
)
def test_what_goes_together_is_let_be(tmp_path: Path, loss: str, targets: str, last: dict[str, Any]) -> None:
    assert problems(tmp_path, loss, targets, **last) == []


@pytest.mark.parametrize(
    ("loss", "last", "said"),
    [
        (
            SPARSE,
            {"activation": "linear"},
            "has the activation 'linear'; sparse.* takes probabilities: give it 'softmax'",
        ),
        (CATEGORICAL, {"activation": "relu"}, "has the activation 'relu'; .* give it 'softmax'"),
        (BINARY, {"activation": "tanh"}, "has the activation 'tanh'; .* give it 'sigmoid'"),
        (SPARSE, {"units": 1, "activation": "sigmoid"}, "gives one value; .* for yes or no use sigmoid with binary"),
        (BINARY, {"units": 1}, "is a softmax of one value, always 1: use sigmoid"),
        (SQUARES, {"units": 1}, "is a softmax of one value, always 1"),
    ],
)
def test_an_output_that_the_loss_can_make_nothing_of_is_told(
    tmp_path: Path, loss: str, last: dict[str, Any], said: str
) -> None:
    (found,) = problems(tmp_path, loss, INDICES, **last)
    assert re.match(rf"model\.json:\d+: layer 'class', an output, {said}", found), found


@pytest.mark.parametrize(
    ("loss", "targets", "shape", "said"),
    [
        (CATEGORICAL, INDICES, "", "data.py: train(): an example of 'y' has shape [] where [3] is wanted; "
                                   f"for class indices the loss is {SPARSE}"),
        (SPARSE, ONE_HOT, "", "data.py: train(): an example of 'y' has shape [3] where [] is wanted; "
                              f"for one-hot vectors the loss is {CATEGORICAL}"),
        (SPARSE, ONE_HOT, "shape = [3]", f"webnn.toml:5: targets 'y': with {SPARSE} a target is a class index: "
                                         "leave the shape out, or use categoricalCrossentropy"),
        (CATEGORICAL, INDICES, "shape = []", "webnn.toml:5: targets 'y': the model gives [3]: for class indices "
                                             f"the loss is {SPARSE}"),
        (CATEGORICAL, ONE_HOT, "shape = [4]", "webnn.toml:5: targets 'y': the shape is [4], the model gives [3]"),
        (SPARSE, INDICES, "shape = [4]", "webnn.toml:5: targets 'y': the shape is [4], the model gives [3]"),
    ],
)  # fmt: skip
def test_targets_that_are_not_what_the_loss_takes_are_told(
    tmp_path: Path, loss: str, targets: str, shape: str, said: str
) -> None:
    assert problems(tmp_path, loss, targets, shape)[0] == said


AN_ACCURACY = "[end]\naccuracy = 0.9\n"


@pytest.mark.parametrize(("units", "targets"), [(1, NUMBERS), (3, ONE_HOT)])
@pytest.mark.parametrize("activation", ["linear", "relu", "tanh"])
def test_numbers_learnt_by_squares_have_no_accuracy_to_end_at(
    tmp_path: Path, units: int, targets: str, activation: str
) -> None:
    (found,) = problems(tmp_path, SQUARES, targets, end=AN_ACCURACY, units=units, activation=activation)
    assert found == (
        f"webnn.toml:9: accuracy: layer 'class', an output, has the activation {activation!r}; with {SQUARES} that is "
        "numbers, not classes, and accuracy means nothing: say when the run ends by versions or seconds instead"
    )


def test_such_a_run_ends_by_versions_or_seconds(tmp_path: Path) -> None:
    end = "[end]\nversions = 500\nseconds = 600\n"
    assert problems(tmp_path, SQUARES, NUMBERS, end=end, units=1, activation="linear") == []


@pytest.mark.parametrize(
    ("loss", "targets", "last"),
    [
        (SQUARES, ONE_HOT, {"activation": "softmax"}),
        (SQUARES, NUMBERS, {"units": 1, "activation": "sigmoid"}),
        (BINARY, NUMBERS, {"units": 1, "activation": "sigmoid"}),
        (SPARSE, INDICES, {}),
    ],
)
def test_classes_have_an_accuracy_by_whatever_they_are_learnt(
    tmp_path: Path, loss: str, targets: str, last: dict[str, Any]
) -> None:
    assert problems(tmp_path, loss, targets, end=AN_ACCURACY, **last) == []
