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
    "units that were changed in a layer alone": (
        a_model([a_dense("class", 5, 4)], [*WEIGHTS[:1], ("class/bias", [5])]),
        "model.json:5: weight 'class/kernel' has shape [4, 3] here, and [4, 5] by the layers: change one of the two",
    ),
    "a misspelt weight": (
        a_model([a_dense("class", 3, 4, use_bias=False)], [("class/kernal", [4, 3])]),
        "model.json:5: the layers have no weight 'class/kernal'; did you mean 'class/kernel'?",
    ),
    "a weight that is not listed": (
        a_model([FIRST], WEIGHTS[:1]),
        "model.json:4: weight 'class/bias' of the layers, of shape [3], is not in weightsManifest",
    ),
    "images for a layer of vectors": (
        a_model([FIRST, a_layer("Conv2D", filters=2, kernel_size=3)], WEIGHTS),
        "model.json:6: layer 'odd' is a Conv2D and gets [3]: it takes [height, width, channels]",
    ),
    "a kernel that is larger than the picture": (
        a_model([a_layer("Conv2D", filters=2, kernel_size=3, batch_input_shape=[None, 2, 2, 1])], []),
        "model.json:5: layer 'odd' is a Conv2D and gets [2, 2, 1]: its kernel of 3 is longer than 2",
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
    ("layer", "weights", "problem"),
    [
        (
            a_dense("class", 1_000, 60_000, use_bias=False),
            [("class/kernel", [60_000, 1_000])],
            "50,000,000 parameters",
        ),
        (
            a_layer("SimpleRNN", name="class", units=3, use_bias=False, batch_input_shape=[None, 5, 4]),
            [("class/kernel", [4, 3]), ("class/recurrent_kernel", [3, 3])],
            "no default for weight 'class/recurrent_kernel'",
        ),
    ],
)
def test_weights_that_no_run_can_have_are_told(
    layer: dict[str, Any], weights: list[tuple[str, list[int]]], problem: str, tmp_path: Path
) -> None:
    found = " ".join(told(a_folder(tmp_path, model=a_model([layer], weights))))
    assert problem in found


def test_inputs_and_outputs_of_a_functional_model_are_found_in_its_order() -> None:
    model, wrong = read(two_sided())
    assert wrong == []
    assert model is not None
    assert model.inputs == (Place("left", (2,)), Place("right", (1,)))
    assert model.outputs == (Place("kind", (3,), "softmax"), Place("again", (3,), "softmax"))


def test_the_form_that_a_converter_of_keras_writes_is_read_too() -> None:
    document = json.loads(two_sided())
    model, wrong = read(json.dumps(document | {"modelTopology": {"model_config": document["modelTopology"]}}))
    assert wrong == []
    assert model is not None
    assert [place.name for place in model.inputs] == ["left", "right"]


def a_conv(**config: Any) -> dict[str, Any]:
    return a_layer("Conv2D", name="conv", filters=5, kernel_size=3, batch_input_shape=[None, 6, 6, 1], **config)


CONV = [("conv/kernel", [3, 3, 1, 5]), ("conv/bias", [5])]


@pytest.mark.parametrize(
    ("layers", "weights", "output"),
    [
        ([FIRST], WEIGHTS, Place("class", (3,), "softmax")),
        ([FIRST, a_layer("Dropout", rate=0.5)], WEIGHTS, Place("odd", (3,), "softmax")),
        ([a_dense("class", 3, 4, activation="linear"), a_layer("Softmax")], WEIGHTS, Place("odd", (3,), "softmax")),
        ([a_conv(activation="relu"), a_layer("Flatten")], CONV, Place("odd", (80,), "relu")),
        ([a_conv(), a_layer("GlobalAveragePooling2D")], CONV, Place("odd", (5,), None)),
    ],
)
def test_what_a_model_gives_is_known(
    layers: list[dict[str, Any]], weights: list[tuple[str, list[int]]], output: Place
) -> None:
    model, wrong = read(a_model(layers, weights))
    assert wrong == []
    assert model is not None
    assert model.outputs == (output,)
