"""`webnn.fit`, in the environment that has TensorFlow: `make test` sets it up."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import webnn

HERE = Path(__file__).resolve()
TESTS, CHECKOUT = HERE.parents[1], HERE.parents[2]
PYTHON = CHECKOUT / "build" / "experiments" / "bin" / "python"
KERASES = ["keras", "tf_keras"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.skip("TensorFlow is not set up: make build/experiments/.stamp")
    path = tmp_path_factory.mktemp("fit") / "found.json"
    paths = os.pathsep.join([str(CHECKOUT), str(TESTS), *filter(None, [os.environ.get("PYTHONPATH")])])
    ended = subprocess.run(
        [PYTHON, HERE.with_name("in_fit.py"), path],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads(path.read_text())  # type: ignore[no-any-return]


@pytest.mark.parametrize("which", KERASES)
def test_loss_optimizer_and_learning_rate_are_the_compiled_models(found: dict[str, Any], which: str) -> None:
    classes = "sparseCategoricalCrossentropy"
    for name, how in {
        "adam": ["adam", 0.001, classes],
        "sgd": ["sgd", 0.25, classes],
        "momentum": ["momentum", 0.5, classes],
        "function": ["adam", 0.001, classes],
        "object": ["adam", 0.001, "meanSquaredError"],
        "instead": ["muon", None, classes],
    }.items():
        assert found["compiled"][f"{which} {name}"] == how


@pytest.mark.parametrize("which", KERASES)
def test_what_pages_do_not_have_is_refused_by_its_name(found: dict[str, Any], which: str) -> None:
    for name, part in {
        "rmsprop": "compiled with RMSprop: pages have SGD",
        "amsgrad": "Adam(amsgrad=True)",
        "clipped": "SGD(clipnorm=1.0)",
        "heavy": "SGD(momentum=0.5)",
        "falling": "the learning rate ExponentialDecay: give a number",
        "hinge": "the loss hinge: pages have sparse_categorical_crossentropy",
        "logits": "SparseCategoricalCrossentropy(from_logits=True): end the model in a softmax",
        "smooth": "BinaryCrossentropy(label_smoothing=0.1)",
        "sums": "MeanSquaredError(reduction='sum'): pages take the mean",
        "weighted": "loss_weights",
        "bare": "the model is not compiled",
        "frozen": "nothing of the model Small_one is trainable",
    }.items():
        said = found["compiled"][f"{which} {name}"]
        assert said.startswith("Invalid: "), said
        assert part in said


@pytest.mark.parametrize("which", KERASES)
def test_a_model_becomes_a_run_and_comes_out_trained_in_the_same_keras(found: dict[str, Any], which: str) -> None:
    one = found[which]
    assert one["name"] == "small-one"
    assert one["link"] == "https://pages.test/index.html?run=small-one"
    assert (one["training"], one["end"], one["rule"]) == (["adam", 0.001, 2], 0.9, "delta")
    assert one["version"] == 1
    assert one["moved"] < 1e-5  # by the very delta that was merged
    assert one["same"] is True
    assert one["compiled"] is True
    assert one["untouched"] is True


@pytest.mark.parametrize("which", KERASES)
def test_it_is_paused_started_stopped_and_closed_and_keeps_what_it_has(found: dict[str, Any], which: str) -> None:
    one = found[which]
    assert one["statuses"] == ["paused", True]
    assert one["told"] == ["up local", "down local"]
    assert one["kept"] is True
    for said in (one["after"], one["closed"]):
        assert said.startswith("Unavailable: run small-one is closed")
    assert one["history"] == {"version": [], "seconds": [], "accuracy": [], "loss": []}
    assert one["pictured"] is True


def test_data_are_stored_as_small_as_loses_nothing(found: dict[str, Any]) -> None:
    stored, byte, image = found["stored"], ["uint8", 1.0], ["uint8", 1 / 255]
    for name, packed in {
        "floats": [None, byte],
        "lists": [None, byte],
        "dict": [None, byte],
        "bytes": [byte, byte],
        "images": [image, byte],
        "halves": [["float16", 1.0], byte],
    }.items():
        assert stored[name] == {"examples": 60, "packed": packed}, name


def test_streams_of_every_kind_are_taken_whole(found: dict[str, Any]) -> None:
    for name, count in {"dataset": 60, "batches": 60, "generator": 60, "function": 54}.items():
        assert found["stored"][name] == {"examples": count, "packed": [None, None]}, name


def test_data_that_do_not_fit_are_refused_before_there_is_a_run(found: dict[str, Any]) -> None:
    for name, part in {
        "wrong shape": "x and y: an example of 'x' has shape [3] where [4] is wanted",
        "wrong name": "x has z; the model has x",
        "no such class": "'last' holds class indices 1 to 3; they must be 0 to 2",
        "one hot": "y has rows of 3 numbers, the loss takes class indices: for one-hot rows",
        "nothing": "is y missing?",
        "text": "x and y: x holds <U",
        "not a number": "'x' holds NaN or infinity",
    }.items():
        said = found["stored"][name]
        assert isinstance(said, str), (name, said)
        assert said.startswith("Invalid: ")
        assert part in said


def test_a_part_of_x_and_y_is_validated_on_as_keras_does(found: dict[str, Any]) -> None:
    for part, counts in {
        "0.3": [35, 15],
        "0.9": [4, 46],
    }.items():  # 50 * (1 - 0.9) is a little below 5, and rounded down
        *seen, last, apart = found["splits"][part]
        assert seen == counts
        assert last is True
        assert apart < 1e-6  # from the loss that Keras's own fit finds on its part


def test_a_part_is_taken_of_arrays_alone_and_where_no_other_data_are_given(found: dict[str, Any]) -> None:
    for name, words in {
        "both": "validation_data and validation_split are both given",
        "dataset": "validation_split cuts arrays, and x is a _TensorSliceDataset: give validation_data=(x, y) instead",
        "generator": "validation_split cuts arrays, and x is a generator",
        "function": "validation_split cuts arrays, and x is a function",
        "neither": "or keep some of x and y for that, as with validation_split=0.2",
        "classes": "the last 20% of x and y: 'last' holds class indices 0 to 7; they must be 0 to 2",
    }.items():
        said = found["splits"][name]
        assert said.startswith("Invalid: "), said
        assert words in said


def test_several_inputs_and_outputs_are_taken_by_place_or_name(found: dict[str, Any]) -> None:
    assert found["sides"]["tensors"] == [
        ["word", [3], "uint8"], ["size", [2], "float32"], ["kind", [], "uint8"], ["again", [], "uint8"],
    ]  # fmt: skip
    assert found["sides"]["apart"] < 1e-6


def test_a_client_takes_the_step_that_keras_takes_where_there_are_several_inputs_and_outputs(
    found: dict[str, Any],
) -> None:
    assert found["sides"]["stepped"] < 1e-4


def test_a_taken_name_gets_a_number_and_one_that_was_asked_for_is_gone_on_with(found: dict[str, Any]) -> None:
    *ours, other, odd = found["names"]
    assert ours == ["small-one", "small-one-2", "mine", "mine"]
    assert other.startswith("Conflict: the name 'mine' is taken by another run")
    assert odd.startswith("Invalid: until=5: give an accuracy such as 0.98, or a dict")


def test_a_model_of_numbers_ends_by_versions_and_not_at_an_accuracy(found: dict[str, Any]) -> None:
    *refused, taken = found["numbers"]
    for words in refused:
        assert words.startswith("Invalid: accuracy: layer 'last', an output, has the activation 'linear'"), words
        assert words.endswith("say when the run ends by versions or seconds instead")
    assert taken == "numbers"


def test_the_package_itself_is_light() -> None:
    seen = "import sys, webnn; print(sorted(set(sys.modules) & {'click', 'rich', 'numpy', 'botocore', 'tensorflow'}))"
    shown = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"
    assert "fit" in webnn.__all__
    with pytest.raises(AttributeError, match="module 'webnn' has no attribute 'nothing'"):
        webnn.nothing  # noqa: B018
