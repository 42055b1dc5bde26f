"""Shapes that are worked out from a topology are those of the models that Keras has built of it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from webnn.errors import Invalid
from webnn.keras.axes import Misfit
from webnn.keras.layer_shapes import KINDS
from webnn.keras.layers import KNOWN
from webnn.keras.settling import settled
from webnn.keras.shapes import built
from webnn.keras.topology import to_tfjs

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "keras" / "models.json").read_text())


@pytest.mark.parametrize("name", GOLDEN)
def test_a_model_gives_and_holds_what_keras_says(name: str) -> None:
    entry = GOLDEN[name]
    found = built(settled(entry["topology"]))
    assert {one: list(shape) for one, shape in found.weights.items()} == {
        weight["name"]: weight["shape"] for weight in entry["weights"]
    }
    assert [list(shape) for shape in found.outputs] == [one["shape"][1:] for one in entry["outputs"]]


def test_every_layer_that_is_taken_is_known_here() -> None:
    assert KINDS.keys() | {"InputLayer"} == KNOWN.keys()


IMAGE = (5, 6, 2)


@pytest.mark.parametrize(
    ("kind", "config", "shapes", "gives"),
    [
        ("Conv2DTranspose", {"filters": 4, "kernel_size": 3, "strides": 2}, [IMAGE], (11, 13, 4)),
        ("Conv2D", {"filters": 4, "kernel_size": [1, 3], "strides": 2}, [(None, 6, 2)], (None, 2, 4)),
        ("ZeroPadding2D", {"padding": 2}, [IMAGE], (9, 10, 2)),
        ("Cropping2D", {"cropping": [1, 2]}, [IMAGE], (3, 2, 2)),
        ("MaxPooling2D", {"pool_size": [2, 3]}, [IMAGE], (2, 2, 2)),
        ("Flatten", {}, [(3, 2)], (6,)),
        ("Reshape", {"target_shape": [3, -1]}, [(None, 2)], (3, None)),
        ("LSTM", {"units": 3, "return_sequences": True}, [(None, 2)], (None, 3)),
        ("Add", {}, [(4, 3), (1, 3)], (4, 3)),
        ("Add", {}, [(3,), (4, 3)], (4, 3)),
        ("Concatenate", {"axis": 1}, [(2, 3), (4, 3)], (6, 3)),
        ("Concatenate", {"axis": -1}, [(2, 3), (2, None)], (2, None)),
        ("Dot", {"axes": [1, 2]}, [(3, 4), (5, 3)], (4, 5)),
        ("Dot", {"axes": -1}, [(3,), (3,)], (1,)),
    ],
)
def test_what_no_golden_model_has(kind: str, config: dict[str, Any], shapes: list[Any], gives: Any) -> None:
    assert KINDS[kind](config, shapes)[0] == [gives]


@pytest.mark.parametrize(
    ("kind", "config", "shapes", "said"),
    [
        ("Dense", {"units": 2}, [()], "at least one axis"),
        ("Dense", {"units": 2}, [(None,)], "how long the last axis is has to be known"),
        ("Dense", {"units": 2}, [(2,), (2,)], "it takes one input"),
        ("Conv2D", {"filters": 1, "kernel_size": 3}, [(784,)], r"it takes \[height, width, channels\]"),
        ("MaxPooling1D", {"pool_size": 4}, [(3, 1)], "its pool of 4 is longer than 3"),
        ("Reshape", {"target_shape": [2, 3]}, [(5,)], r"its 5 values do not fill \[2, 3\]"),
        ("Reshape", {"target_shape": [2, -1]}, [(5,)], "do not fill"),
        ("Permute", {"dims": [1, 3]}, [(2, 3)], "names other axes"),
        ("Cropping2D", {"cropping": 3}, [IMAGE], "leaves nothing of it"),
        ("Flatten", {}, [(8,)], "TF.js takes at least two axes; leave it out"),
        ("Flatten", {}, [(None, 2)], "how long each axis is has to be known"),
        ("SpatialDropout1D", {"rate": 0.5}, [(4,)], r"it takes \[length, channels\]"),
        ("TimeDistributed", {"layer": {}}, [(4,)], "a sequence of what has axes itself"),
        ("BatchNormalization", {"axis": 1}, [(5, 4)], "in TF.js it normalizes along the last axis only"),
        ("BatchNormalization", {}, [(3, 5, 6, 4)], "TF.js takes at most 3 axes"),
        ("LayerNormalization", {}, [(3, 5, 6, 4)], "TF.js takes at most 3 axes"),
        ("LayerNormalization", {"axis": [2, 1]}, [(5, 4)], "name its axes in their order"),
        ("Softmax", {"axis": 1}, [(5, 4)], "in TF.js it works along the last axis only"),
        ("PReLU", {"shared_axes": [1, 2]}, [(4,)], "it has no axis 2"),
        ("Maximum", {}, [(5, 4), (4,)], "only on inputs of one shape"),
        ("Dot", {"axes": -1}, [(5, 6, 4), (4,)], "TF.js takes at most 2 axes"),
        ("Dense", {"units": 2}, [(2, 3, 4, 2, 4)], "TF.js takes at most 4 axes"),
        ("Add", {}, [(2,), (3,)], "its inputs differ"),
        ("Add", {}, [(2,)], "several inputs"),
        ("Concatenate", {}, [(2, 3), (4, 3)], "differ in more than the axis -1"),
        ("Dot", {"axes": 1}, [(3,), (4,)], "differ along the axes"),
        ("BatchNormalization", {"axis": 3}, [(2,)], "it has no axis 3"),
        ("LSTM", {"units": 2}, [(4,)], r"it takes \[length, features\]"),
    ],
)
def test_what_no_layer_can_be_built_on_is_said(kind: str, config: dict[str, Any], shapes: list[Any], said: str) -> None:
    with pytest.raises(Misfit, match=said):
        KINDS[kind](config, shapes)


def chain(shape: list[int], *layers: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    start = {"class_name": "InputLayer", "config": {"name": "start", "batch_input_shape": [None, *shape]}}
    named = [
        {"class_name": kind, "config": {"name": f"{kind} {place}".lower(), **config}}
        for place, (kind, config) in enumerate(layers)
    ]
    return {"class_name": "Sequential", "config": {"name": "mine", "layers": [start, *named]}}


FLAT = ("Flatten", {})
DENSE = ("Dense", {"units": 2})


@pytest.mark.parametrize(
    ("topology", "at", "told"),
    [
        (chain([8], FLAT, DENSE), 1, [8]),
        (chain([4, 4, 3], ("GlobalAveragePooling2D", {}), FLAT, DENSE), 2, [3]),
        (chain([2, 3], ("Reshape", {"target_shape": [-1]}), DENSE), 1, [6]),
    ],
)
def test_a_shape_that_tfjs_would_not_work_out_is_told(topology: dict[str, Any], at: int, told: list[int]) -> None:
    before = deepcopy(topology)
    with pytest.raises(Invalid, match=r"TF\.js takes at least two axes|has to be known"):
        built(topology)  # as it is, no page could train it
    layer = settled(topology)["config"]["layers"][at]
    name = topology["config"]["layers"][at]["config"]["name"]
    assert layer == {"class_name": "Reshape", "config": {"name": name, "target_shape": told}}
    assert topology == before


def test_what_tfjs_builds_as_it_is_stays_so() -> None:
    topology = chain([4, 3], ("Reshape", {"target_shape": [3, 4]}), FLAT, DENSE)
    assert settled(topology) == topology


def test_a_single_number_is_no_input() -> None:
    with pytest.raises(Invalid, match=r"input .start. is a single number: .*keras\.Input\(\(1,\)\)"):
        built(chain([], ("Reshape", {"target_shape": [1]}), DENSE))


def damaged() -> Iterator[Any]:
    """Each kind of layer in a model, with one thing after the other left out, or other than it should be."""
    known = set[tuple[str, str]]()
    for topology in (entry["topology"] for entry in GOLDEN.values()):
        for at, layer in enumerate(topology["config"]["layers"]):
            new = [key for key in layer["config"] if (layer["class_name"], key) not in known]
            known |= {(layer["class_name"], key) for key in new}
            for key, other in product(new, (None, "x", -1, 0, [], {}, [[1]], 1.5)):
                found = deepcopy(topology)
                found["config"]["layers"][at]["config"][key] = other
                yield found
            for key in new:
                found = deepcopy(topology)
                del found["config"]["layers"][at]["config"][key]
                yield found


def test_whatever_is_wrong_with_a_description_it_is_built_or_refused() -> None:
    refused = 0
    for topology in damaged():
        try:
            built(to_tfjs(topology))
        except Invalid:
            refused += 1
    assert refused > 1000
