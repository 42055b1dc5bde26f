"""Models as files that others read."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import WEIGHTS, World, a_spec, a_world, an_evaluation

from webnn import saving
from webnn.errors import Corrupt, Invalid, Missing


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start([1, 2, 3])
    found.contribute([1, 0, 0])
    found.drain()
    return found


def written(folder: Path) -> tuple[dict[str, Any], list[float]]:
    model = json.loads((folder / "model.json").read_text())
    (group,) = model["weightsManifest"]
    (path,) = group["paths"]
    return model, [float(value) for value in np.fromfile(folder / path, "<f4")]


def test_has_what_tf_js_loads(world: World, tmp_path: Path) -> None:
    world.catalog.record_evaluation(an_evaluation("line", 1, accuracy=0.75))
    saving.write(world.services.saver.model("line"), tmp_path / "a" / "model", force=False)
    model, weights = written(tmp_path / "a" / "model")
    assert weights == [2, 2, 3]
    assert model["format"] == "layers-model"
    assert model["modelTopology"] == a_spec()["modelTopology"]
    assert model["weightsManifest"] == [{"paths": ["weights.bin"], "weights": WEIGHTS}]
    told = model["userDefinedMetadata"]
    assert (told["run"], told["version"], told["accuracy"]) == ("line", 1, 0.75)
    assert sorted(path.name for path in (tmp_path / "a" / "model").iterdir()) == ["model.json", "weights.bin"]


def test_an_earlier_version_is_as_it_was(world: World, tmp_path: Path) -> None:
    saved = world.services.saver.model("line", 0)
    saving.write(saved, tmp_path, force=False)
    assert written(tmp_path)[1] == [1, 2, 3]
    assert saved.accuracy is None


@pytest.mark.parametrize("name", ["model.json", "weights.bin"])
def test_what_is_there_is_not_replaced_unless_told_so(world: World, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    (tmp_path / "notes.txt").write_text("mine too")
    with pytest.raises(Invalid, match="--force"):
        saving.write(world.services.saver.model("line"), tmp_path, force=False)
    assert (tmp_path / name).read_text() == "mine"
    saving.write(world.services.saver.model("line"), tmp_path, force=True)
    assert written(tmp_path)[1] == [2, 2, 3]
    assert (tmp_path / "notes.txt").read_text() == "mine too"


def test_a_folder_is_whole_if_it_has_a_model(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saving.write(world.services.saver.model("line", 0), tmp_path, force=False)
    monkeypatch.setattr(saving.os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(Invalid, match="No space left"):
        saving.write(world.services.saver.model("line"), tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.bin"]
    assert np.fromfile(tmp_path / "weights.bin", "<f4").tolist() == [1, 2, 3]


def test_a_place_that_is_no_folder_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="cannot be written"):
        saving.write(world.services.saver.model("line"), tmp_path / "file" / "model", force=False)


def test_what_is_not_there_cannot_be_saved(world: World) -> None:
    with pytest.raises(Missing):
        world.services.saver.model("gone")
    with pytest.raises(Invalid, match="no commit made version 5"):
        world.services.saver.model("line", 5)
    del world.blobs._blobs[world.head.checkpoint_key]
    with pytest.raises(Corrupt):
        world.services.saver.model("line")
