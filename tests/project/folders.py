"""An owner's folder as tests change it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from webnn.project.folder import Unfit, check, read
from webnn.project.template import scaffold

DENSE = {"trainable": True, "dtype": "float32", "activation": "softmax", "use_bias": True}


def a_folder(parent: Path, template: str = "blank", **files: str) -> Path:
    """A folder from a template; `toml`, `data` and `model` replace its files."""
    folder = parent / template
    scaffold(folder, template)
    names = {"toml": "webnn.toml", "data": "data.py", "model": "model.json"}
    for key, text in files.items():
        (folder / names[key]).write_text(text)
    return folder


def told(folder: Path) -> list[str]:
    """All problems, as they are printed."""
    try:
        check(read(folder))
    except Unfit as error:
        return [str(problem) for problem in error.problems]
    return []


def a_dense(name: str, units: int, inputs: int | None = None, **config: Any) -> dict[str, Any]:
    """A layer of a sequential model; the first says how many inputs there are."""
    first = {} if inputs is None else {"batch_input_shape": [None, inputs]}
    return {"class_name": "Dense", "config": DENSE | {"name": name, "units": units} | first | config}


def a_model(
    layers: Sequence[dict[str, Any]], weights: Sequence[tuple[str, list[int]]], paths: Sequence[str] = ()
) -> str:
    """A sequential `model.json`, one line for each layer and weight."""
    return _text({"class_name": "Sequential", "config": {"name": "m", "layers": list(layers)}}, weights, paths)


def two_sided() -> str:
    """A functional model of two inputs and two outputs: a class of 3, and a number."""
    layers = [
        _input("left", 2), _input("right", 1),
        {"class_name": "Concatenate", "name": "both", "config": {"name": "both", "axis": -1},
         "inbound_nodes": [[["left", 0, 0, {}], ["right", 0, 0, {}]]]},
        _dense_on("kind", 3, "softmax", "both"), _dense_on("again", 3, "softmax", "both"),
    ]  # fmt: skip
    config = {
        "name": "m", "layers": layers, "input_layers": [["left", 0, 0], ["right", 0, 0]],
        "output_layers": [["kind", 0, 0], ["again", 0, 0]],
    }  # fmt: skip
    weights = [(f"{name}/{part}", shape) for name in ("kind", "again") for part, shape in PARTS]
    return _text({"class_name": "Functional", "config": config}, weights)


PARTS = (("kernel", [3, 3]), ("bias", [3]))


def _input(name: str, length: int) -> dict[str, Any]:
    config = {"name": name, "batch_input_shape": [None, length], "dtype": "float32", "sparse": False}
    return {"class_name": "InputLayer", "name": name, "config": config, "inbound_nodes": []}


def _dense_on(name: str, units: int, activation: str, before: str) -> dict[str, Any]:
    found = a_dense(name, units, activation=activation)
    return found | {"name": name, "inbound_nodes": [[[before, 0, 0, {}]]]}


def _text(topology: dict[str, Any], weights: Sequence[tuple[str, list[int]]], paths: Sequence[str] = ()) -> str:
    tensors = [{"name": name, "shape": shape, "dtype": "float32"} for name, shape in weights]
    document = {"modelTopology": topology, "weightsManifest": [{"paths": list(paths), "weights": tensors}]}
    return json.dumps(document).replace('{"class_name"', '\n{"class_name"').replace('{"name"', '\n{"name"')
