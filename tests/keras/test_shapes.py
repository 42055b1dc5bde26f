"""Shapes that are worked out from a topology are those of the models that Keras has built of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from webnn.keras.layer_shapes import KINDS
from webnn.keras.layers import KNOWN
from webnn.keras.shapes import built

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "keras" / "models.json").read_text())


@pytest.mark.parametrize("name", GOLDEN)
def test_a_model_gives_and_holds_what_keras_says(name: str) -> None:
    entry = GOLDEN[name]
    found = built(entry["topology"])
    assert {one: list(shape) for one, shape in found.weights.items()} == {
        weight["name"]: weight["shape"] for weight in entry["weights"]
    }
    assert [list(shape) for shape in found.outputs] == [one["shape"][1:] for one in entry["outputs"]]


def test_every_layer_that_is_taken_is_known_here() -> None:
    assert KINDS.keys() | {"InputLayer"} == KNOWN.keys()
