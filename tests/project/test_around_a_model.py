"""`webnn new` in a folder that has a model, as `webnn import` leaves it: settings and data that fit."""

import json
from math import prod
from pathlib import Path
from typing import Any

import pytest
from folders import a_dense, a_model, told, two_sided

from webnn.errors import Conflict, Invalid
from webnn.project.folder import read
from webnn.project.template import scaffold

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "keras" / "models.json").read_text())


def with_model(folder: Path, text: str) -> Path:
    """A folder with this model, and its weights if it names a file of them."""
    folder.mkdir()
    (folder / "model.json").write_text(text)
    (group,) = json.loads(text)["weightsManifest"]
    if group["paths"]:
        size = sum(prod(weight["shape"]) for weight in group["weights"])
        (folder / "weights.bin").write_bytes(bytes(4 * size))
    return folder


def of_golden(name: str) -> str:
    entry = GOLDEN[name]
    weights = [{"dtype": "float32", **weight} for weight in entry["weights"]]
    return json.dumps(
        {"modelTopology": entry["topology"], "weightsManifest": [{"paths": ["weights.bin"], "weights": weights}]}
    )


@pytest.mark.parametrize("name", GOLDEN)
def test_nothing_is_wrong_with_what_is_made_around_a_model(name: str, tmp_path: Path) -> None:
    folder, text = tmp_path / "mine", of_golden(name)
    with_model(folder, text)
    made = scaffold(folder, "blank")
    assert [path.name for path in made] == ["webnn.toml", "data.py", ".gitignore"]
    assert told(folder) == []
    assert (folder / "model.json").read_text() == text


def spec_around(folder: Path, text: str) -> Any:
    scaffold(with_model(folder, text), "blank")
    assert told(folder) == []
    return read(folder).document.spec


def tensors(spec: Any, side: str) -> list[Any]:
    return [[one["name"], one["shape"], one["dtype"]] for one in spec["data"][side]]


def dense_to(units: int, activation: str) -> str:
    weights = [("last/kernel", [6, units]), ("last/bias", [units])]
    return a_model([a_dense("last", units, 6, activation=activation)], weights)


def test_names_shapes_and_loss_are_the_models(tmp_path: Path) -> None:
    classes = spec_around(tmp_path / "classes", dense_to(300, "softmax"))
    assert tensors(classes, "inputs") == [["last_input", [6], "float32"]]  # as Keras calls what a layer begins with
    assert tensors(classes, "targets") == [["last", [], "int32"]]
    assert classes["data"]["targets"][0]["quantization"]["dtype"] == "uint16"  # 300 classes are too many for a byte
    assert classes["training"]["loss"] == "sparseCategoricalCrossentropy"
    yes = spec_around(tmp_path / "yes", dense_to(1, "sigmoid"))
    assert (tensors(yes, "targets"), yes["training"]["loss"]) == ([["last", [], "float32"]], "binaryCrossentropy")
    number = spec_around(tmp_path / "number", dense_to(2, "linear"))
    assert (tensors(number, "targets"), number["training"]["loss"]) == ([["last", [2], "float32"]], "meanSquaredError")
    assert (yes["end"], number["end"]) == (
        {"accuracy": 0.95},
        {"versions": 10_000},
    )  # of numbers none is right or wrong
    assert classes["title"] == "classes"


def test_several_inputs_and_outputs_are_given_by_their_names(tmp_path: Path) -> None:
    spec = spec_around(tmp_path / "sides", two_sided())
    assert tensors(spec, "inputs") == [["left", [2], "float32"], ["right", [1], "float32"]]
    assert tensors(spec, "targets") == [["kind", [], "int32"], ["again", [], "int32"]]
    assert '"left": random' in (tmp_path / "sides" / "data.py").read_text()


def test_another_template_gives_its_data_and_settings_and_leaves_the_model(tmp_path: Path) -> None:
    scaffold(tmp_path / "theirs", "digits")
    model = (tmp_path / "theirs" / "model.json").read_text().replace('"digits"', '"mine"')
    folder = with_model(tmp_path / "mine", model)
    scaffold(folder, "digits")
    assert read(folder).document.spec["data"] == read(tmp_path / "theirs").document.spec["data"]
    assert (folder / "model.json").read_text() == model
    assert (folder / "data.py").read_text() == (tmp_path / "theirs" / "data.py").read_text()


def test_beside_settings_of_the_owners_nothing_is_written(tmp_path: Path) -> None:
    folder = with_model(tmp_path / "mine", of_golden("Dense relu"))
    (folder / "webnn.toml").write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        scaffold(folder, "blank")
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "webnn.toml", "weights.bin"]


def test_a_model_that_pages_do_not_train_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    folder = with_model(tmp_path / "mine", of_golden("Dense relu").replace('"Dense"', '"Lambda"'))
    with pytest.raises(Invalid, match=r"model\.json.*Lambda"):
        scaffold(folder, "blank")
    (folder / "model.json").write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid, match="cannot be read"):
        scaffold(folder, "blank")
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "weights.bin"]
