"""Files of models: whole, of others, and broken. Without Keras."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from webnn.core.tensors import TensorSpec
from webnn.errors import Conflict, Invalid, Missing
from webnn.keras import weights
from webnn.keras.exporting import Trained, export
from webnn.keras.importing import Imported, save
from webnn.keras.sources import source

SPECS = (TensorSpec("d/kernel", (2, 1), "float32"), TensorSpec("d/bias", (1,), "float32"))
VECTOR = np.float32([1, 2, 3])
TOPOLOGY: dict[str, Any] = {
    "class_name": "Sequential",
    "config": {
        "name": "line",
        "layers": [{"class_name": "Dense", "config": {"name": "d", "units": 1, "batch_input_shape": [None, 2]}}],
    },
}
TRAINED = Trained(TOPOLOGY, SPECS, VECTOR)
RANDOM = np.random.default_rng(1)


def keras_file(path: Path, **members: Any) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.json", content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_folder_for_the_web_is_written_and_read(tmp_path: Path) -> None:
    save(tmp_path / "new", Imported(TOPOLOGY, SPECS, VECTOR, (), 0.0), force=False)
    document = json.loads((tmp_path / "new" / "model.json").read_text())
    assert document["modelTopology"] == TOPOLOGY
    assert document["weightsManifest"] == [
        {
            "paths": ["weights.bin"],
            "weights": [
                {"name": "d/kernel", "shape": [2, 1], "dtype": "float32"},
                {"name": "d/bias", "shape": [1], "dtype": "float32"},
            ],
        }
    ]
    assert (tmp_path / "new" / "weights.bin").read_bytes() == np.float32([1, 2, 3]).tobytes()
    found = source(tmp_path / "new")
    assert (found.form, found.config) == ("tfjs", TOPOLOGY)
    assert {name: one.tolist() for name, one in weights.read_weights(found.path).items()} == {
        "d/kernel": [[1.0], [2.0]],
        "d/bias": [3.0],
    }


def test_what_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_text("mine")
    model = Imported(TOPOLOGY, SPECS, VECTOR, (), 0.0)
    with pytest.raises(Conflict, match=r"weights\.bin is there already"):
        save(tmp_path, model, force=False)
    assert (tmp_path / "weights.bin").read_text() == "mine"
    save(tmp_path, model, force=True)
    assert (tmp_path / "weights.bin").stat().st_size == 12


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="cannot be written"):
        save(tmp_path / "file" / "new", Imported(TOPOLOGY, SPECS, VECTOR, (), 0.0), force=False)


def test_an_export_for_the_web_needs_no_keras_and_leaves_nothing_else(tmp_path: Path) -> None:
    assert export(TRAINED, tmp_path / "web", "tfjs", False, RANDOM).apart is None
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["model.json", "web", "weights.bin"]
    with pytest.raises(Conflict, match="or --force"):
        export(TRAINED, tmp_path / "web", "tfjs", False, RANDOM)
    export(TRAINED, tmp_path / "web", "tfjs", True, RANDOM)
    assert sorted(one.name for one in tmp_path.rglob("*")) == ["model.json", "web", "weights.bin"]


def test_no_force_takes_the_place_of_another_thing(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "letter").write_text("dear")
    with pytest.raises(Conflict, match="no model of that format"):
        export(TRAINED, tmp_path / "home", "tfjs", True, RANDOM)
    assert (tmp_path / "home" / "letter").read_text() == "dear"


def test_a_name_that_keras_would_take_for_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"end in \.keras"):
        export(TRAINED, tmp_path / "model.h5", "keras", False, RANDOM)


@pytest.mark.parametrize(("version", "keras"), [("3.15.1", 3), ("2.21.0", 2), ("10.0", 3)])
def test_a_keras_file_says_which_keras_wrote_it(tmp_path: Path, version: str, keras: int) -> None:
    path = keras_file(tmp_path / "a.keras", config=TOPOLOGY, metadata={"keras_version": version})
    found = source(path)
    assert (found.form, found.keras, found.config) == ("keras", keras, TOPOLOGY)


def test_nothing_is_said_to_be_nothing(tmp_path: Path) -> None:
    with pytest.raises(Missing, match="there is no"):
        source(tmp_path / "a.keras")


@pytest.mark.parametrize(
    "members",
    [{}, {"config": "{", "metadata": {}}, {"config": [], "metadata": {}}, {"config": TOPOLOGY}, {"metadata": {}}],
)
def test_a_broken_keras_file_is_refused(tmp_path: Path, members: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        source(keras_file(tmp_path / "a.keras", **members))


def test_a_saved_model_without_layers_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(Invalid, match=r"save the model with model\.save"):
        source(tmp_path)


@pytest.mark.parametrize("document", ["", "[]", '{"format": "graph-model", "modelTopology": {}}', '{"a": 1}'])
def test_a_model_json_of_something_else_is_refused(tmp_path: Path, document: str) -> None:
    (tmp_path / "model.json").write_text(document)
    with pytest.raises(Invalid):
        source(tmp_path)


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        [{"weights": [{"name": "a", "shape": [1], "dtype": "float32"}], "paths": ["gone.bin"]}],
        [{"weights": [{"name": "a", "shape": [1], "dtype": "float32"}], "paths": ["short.bin"]}],
        [{"weights": [{"name": "a", "shape": [1], "dtype": "float32"}], "paths": ["../secret.bin"]}],
        [{"weights": [{"name": "a", "shape": [-1], "dtype": "float32"}], "paths": []}],
    ],
)
def test_weights_that_are_not_there_or_elsewhere_are_refused(tmp_path: Path, manifest: Any) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "secret.bin").write_bytes(bytes(4))
    (folder / "short.bin").write_bytes(bytes(3))
    (folder / "model.json").write_text(json.dumps({"modelTopology": TOPOLOGY, "weightsManifest": manifest}))
    with pytest.raises(Invalid):
        weights.read_weights(folder / "model.json")


def test_a_cells_name_is_left_out_as_tfjs_does() -> None:
    given = {"m/lstm_cell/kernel": np.float32([1]), "d/bias": np.float32([2])}
    assert list(weights.renamed(given, ["d/bias", "m/kernel"])) == ["d/bias", "m/kernel"]
    with pytest.raises(Invalid, match="do not belong together"):
        weights.renamed(given, ["d/bias"])


@pytest.mark.parametrize("arrays", [{}, {"a": np.float16([1])}, {"a": np.zeros(0, np.float32)}])
def test_weights_that_no_run_takes_are_refused(arrays: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        weights.specs_of(arrays)
