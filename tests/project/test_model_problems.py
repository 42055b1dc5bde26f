"""A model that TF.js would not load or not train is told of before anybody's browser finds out."""

import json
from pathlib import Path
from typing import Any

import pytest
from folders import a_dense, a_folder, a_model, told, two_sided

from webnn.project.model import Place, read

WEIGHTS = [("class/kernel", [4, 3]), ("class/bias", [3])]
FIRST = a_dense("class", 3, 4)


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read(text)[1]]


def a_layer(kind: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": "odd"} | config}


WRONG = {
    "no JSON": ('{\n"modelTopology": }', "model.json:2: this is no JSON: Expecting value"),
    "a list": ("[]", "model.json:1: there is no modelTopology"),
    "no weights": ('{"modelTopology": {"class_name": "Model"}}', "model.json:1: there is no weightsManifest"),
    "a weight without a shape": (
        '{"modelTopology": {"class_name": "Model"},\n"weightsManifest": [{"weights": [{"name": "w"}]}]}',
        "model.json:2: weightsManifest: Object missing",
    ),
    "an unknown layer": (
        a_model([FIRST, a_layer("MultiHeadAttend")], WEIGHTS),
        "model.json:6: layer 'odd' is a MultiHeadAttend: it is none that pages are known to train",
    ),
    "a misspelt layer": (
        a_model([FIRST, a_layer("Drop0ut")], WEIGHTS),
        "model.json:6: layer 'odd' is a Drop0ut: it is none that pages are known to train (docs/keras.md); "
        "did you mean 'Dropout'?",
    ),
    "one within another": (
        a_model([FIRST, a_layer("TimeDistributed", layer=a_layer("Lambda"))], WEIGHTS),
        "model.json:6: layer 'odd' is a Lambda: it holds Python code",
    ),
    "a dilated convolution": (
        a_model([FIRST, a_layer("Conv2D", dilation_rate=[2, 2])], WEIGHTS),
        "model.json:6: layer 'odd' is a Conv2D with dilation_rate=[2, 2]: TF.js has no gradient",
    ),
    "an unknown activation": (
        a_model([FIRST, a_layer("Dense", units=3, activation="rellu")], WEIGHTS),
        "model.json:6: layer 'odd' has the activation 'rellu': TF.js has linear, relu",
    ),
    "another precision": (
        a_model([FIRST, a_layer("Dense", units=3, dtype="float16")], WEIGHTS),
        "model.json:6: layer 'odd' computes in float16: pages train in float32",
    ),
    "two layers of one name": (
        a_model([FIRST, a_dense("class", 3)], WEIGHTS),
        "model.json:4: two layers are called 'class'",
    ),
    "no input": (
        a_model([a_dense("class", 3)], WEIGHTS),
        "model.json:1: the model does not say what its input looks like",
    ),
    "Keras 3": (
        a_model([FIRST, a_layer("Dense", batch_shape=[None, 4])], WEIGHTS),
        "model.json:6: layer 'odd': this is Keras 3's dialect",
    ),
    "a weight of no layer": (
        a_model([FIRST], [*WEIGHTS, ("other/kernel", [1, 1])]),
        "model.json:7: weight 'other/kernel' is of no layer of the model",
    ),
}


@pytest.mark.parametrize(("text", "problem"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_with_its_line(text: str, problem: str) -> None:
    assert problems(text)[0].startswith(problem)
    assert len(problems(text)) == 1


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = a_model([FIRST, a_layer("Conv2D", dilation_rate=2), a_layer("Lambda")], WEIGHTS)
    assert len(problems(text)) == 2


@pytest.mark.parametrize("depth", [10, 100_000])
def test_a_model_nested_however_deep_is_answered(depth: int) -> None:
    assert problems('{"modelTopology":' + "[" * depth + "]" * depth + "}")


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ([("class/kernel", [60_000, 1_000])], "50,000,000 parameters"),
        ([("class/recurrent_kernel", [4, 4])], "no default for weight 'class/recurrent_kernel'"),
    ],
)
def test_weights_that_no_run_can_have_are_told(
    weights: list[tuple[str, list[int]]], problem: str, tmp_path: Path
) -> None:
    (found,) = told(a_folder(tmp_path, model=a_model([FIRST], weights)))
    assert found.startswith("model.json")
    assert problem in found


def test_inputs_and_outputs_of_a_functional_model_are_found_in_its_order() -> None:
    model, wrong = read(two_sided())
    assert wrong == []
    assert model is not None
    assert model.inputs == (Place("left", (2,)), Place("right", (1,)))
    assert model.outputs == (Place("kind", None, 3), Place("again", None, 3))


def test_the_form_that_a_converter_of_keras_writes_is_read_too() -> None:
    topology = json.loads(two_sided())["modelTopology"]
    text = json.dumps({"modelTopology": {"model_config": topology}, "weightsManifest": []})
    model, wrong = read(text)
    assert wrong == []
    assert model is not None
    assert [place.name for place in model.inputs] == ["left", "right"]


@pytest.mark.parametrize(
    ("layers", "units"),
    [
        ([a_dense("a", 7, 4), a_layer("Dropout"), a_layer("Softmax")], 7),
        ([a_layer("Conv2D", filters=5), a_layer("GlobalAveragePooling2D")], 5),
        ([a_layer("Conv2D", filters=5), a_layer("Flatten")], None),
        ([a_layer("Softmax")], None),
    ],
)
def test_the_number_of_classes_is_known_where_it_can_be(layers: list[dict[str, Any]], units: int | None) -> None:
    model, _ = read(a_model(layers, []))
    assert model is not None
    assert model.outputs[0].units == units
