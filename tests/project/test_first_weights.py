"""A model that was exported with its weights goes on from them."""

from pathlib import Path

import numpy as np
import pytest
from folders import a_dense, a_folder, a_model, told
from samples import a_world

from webnn.errors import Conflict
from webnn.project.folder import read
from webnn.project.push import push

WEIGHTS = np.arange(15, dtype="<f4")
MODEL = a_model(
    [a_dense("class", 3, 4)], [("class/kernel", [4, 3]), ("class/bias", [3])], ["group1-shard1of2", "group1-shard2of2"]
)


def exported(parent: Path, weights: bytes = WEIGHTS.tobytes()) -> Path:
    folder = a_folder(parent, model=MODEL)
    (folder / "group1-shard1of2").write_bytes(weights[:7])
    (folder / "group1-shard2of2").write_bytes(weights[7:])
    return folder


def test_version_0_holds_them(tmp_path: Path) -> None:
    world = a_world(name="blank")
    push(read(exported(tmp_path)), world.services.runs, "dev", lambda _: None)
    assert world.weights == WEIGHTS.tolist()


def test_other_weights_are_another_run(tmp_path: Path) -> None:
    world, folder = a_world(name="blank"), exported(tmp_path)
    for _ in range(2):
        push(read(folder), world.services.runs, "dev", lambda _: None)
    first = read(folder).files
    (folder / "group1-shard1of2").write_bytes(b"\1" * 7)
    assert read(folder).files != first
    with pytest.raises(Conflict):
        push(read(folder), world.services.runs, "dev", lambda _: None)


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        (WEIGHTS.tobytes()[:-1], "the weights take 60 bytes as float32, the files have 59"),
        (np.full(15, np.nan, "<f4").tobytes(), "the weights hold NaN or infinity"),
    ],
)
def test_weights_that_are_not_what_the_manifest_says_are_told(weights: bytes, problem: str, tmp_path: Path) -> None:
    (found,) = told(exported(tmp_path, weights))
    assert found.startswith("model.json:")
    assert problem in found


def test_a_file_that_is_not_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    folder = exported(tmp_path)
    (folder / "group1-shard2of2").unlink()
    (found,) = told(folder)
    assert "'group1-shard2of2' cannot be read" in found
    assert "empty `paths`" in found


def test_a_path_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(WEIGHTS.tobytes())
    model = MODEL.replace('["group1-shard1of2", "group1-shard2of2"]', '["../secret"]')
    (found,) = told(a_folder(tmp_path, model=model))
    assert "'../secret' is not in this folder" in found
