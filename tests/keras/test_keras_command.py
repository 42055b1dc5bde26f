"""`webnn import`, `export` and `evaluate`, as somebody types them."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from samples import SHARD, World, a_world, an_evaluation

from webnn.cli.main import webnn
from webnn.core.wire import sha256
from webnn.errors import Conflict, Corrupt, Invalid, Missing

START = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, 2], "dtype": "float32"}}
LINE = {"class_name": "Dense", "config": {"name": "line", "units": 1, "activation": "linear"}}
TOPOLOGY = {"class_name": "Sequential", "config": {"name": "model", "layers": [START, LINE]}}
# y is 1 x0 + 2 x1 + 3, but for the last of these.
INPUTS = np.float32([[0, 0], [1, 0], [0, 1], [1, 1], [0, 2]])
TARGETS = np.float32([3, 4, 5, 6, 8])
BODY = INPUTS.tobytes() + TARGETS.tobytes()


@pytest.fixture
def world() -> World:
    found = a_world()
    digest = found.services.runs.add_shard(BODY)
    shard = {"sha256": digest, "bytes": len(BODY), "examples": 5}
    data = {
        "inputs": [{"name": "x", "shape": [2], "dtype": "float32"}],
        "targets": [{"name": "y", "shape": [], "dtype": "float32"}],
        "train": [SHARD],
        "validation": [shard, shard],
    }
    found.start([1, 2, 3], modelTopology=TOPOLOGY, data=data, validation={"batch_size": 2})
    found.contribute([0, 0, 1])
    found.drain()
    return found


@pytest.fixture
def typed(world: World, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.setattr("webnn.cli.stage.services", lambda _: world.services)

    def run(*words: Any) -> Result:
        return CliRunner(env={"COLUMNS": "160"}).invoke(webnn, [str(word) for word in words])

    return run


def test_a_version_is_evaluated_on_the_whole_validation_set(typed: Callable[..., Result]) -> None:
    shown = typed("evaluate", "line", "--version", "0", "--json", "--stage", "dev")
    assert (shown.exit_code, shown.stderr) == (0, ""), shown.exception
    (line,) = shown.stdout.splitlines()
    assert json.loads(line) == {"run": "line", "version": 0, "loss": 0.2, "accuracy": 0.0, "examples": 10}
    assert "loss 0.8000, on all 10 validation" in typed("evaluate", "line", "--stage", "dev").stdout


def test_a_version_is_exported(typed: Callable[..., Result], tmp_path: Path) -> None:
    out = tmp_path / "web"
    shown = typed("export", "line", out, "--format", "tfjs", "--json", "--stage", "dev")
    assert json.loads(shown.stdout) == {
        "run": "line",
        "version": 1,
        "format": "tfjs",
        "path": str(out),
        "apart": None,
    }
    assert np.frombuffer((out / "weights.bin").read_bytes(), np.float32).tolist() == [1, 2, 4]
    assert isinstance(typed("export", "line", out, "--format", "tfjs", "--stage", "dev").exception, Conflict)
    shown = typed("export", "line", out, "--format", "tfjs", "--version", "0", "--force", "--stage", "dev")
    assert "is version 0 of line as tfjs" in shown.stdout
    assert np.frombuffer((out / "weights.bin").read_bytes(), np.float32).tolist() == [1, 2, 3]


def test_a_folder_is_of_no_format_unless_it_is_said(typed: Callable[..., Result], tmp_path: Path) -> None:
    shown = typed("export", "line", tmp_path / "web", "--stage", "dev")
    assert shown.exit_code == 2
    assert "keras, h5, tfjs, saved_model, onnx" in shown.stderr


def test_where_the_newest_was_not_evaluated_the_best_that_was_is_named(
    typed: Callable[..., Result], world: World, tmp_path: Path
) -> None:
    world.catalog.record_evaluation(an_evaluation("line", 0, accuracy=0.75))
    words = ("export", "line", tmp_path / "web", "--format", "tfjs", "--force", "--stage", "dev")
    assert "best was version 0, with an accuracy of 75.00%: to take that one, add --version 0" in typed(*words).stdout
    world.catalog.record_evaluation(an_evaluation("line", 1, accuracy=0.5))
    assert "best" not in typed(*words).stdout


def test_a_version_that_no_commit_made_is_missing(typed: Callable[..., Result], tmp_path: Path) -> None:
    shown = typed("export", "line", tmp_path / "web", "--format", "tfjs", "--version", "7", "--stage", "dev")
    assert isinstance(shown.exception, Missing)
    assert "no commit of run 'line' made version 7" in shown.exception.message
    assert isinstance(typed("evaluate", "nobody", "--stage", "dev").exception, Missing)


def test_an_altered_shard_or_checkpoint_is_said(typed: Callable[..., Result], world: World) -> None:
    world.blobs._blobs[f"shards/{sha256(BODY)}.bin"] = bytes(len(BODY))  # type: ignore[attr-defined]
    assert isinstance(typed("evaluate", "line", "--stage", "dev").exception, Corrupt)
    world.blobs._blobs[world.head.checkpoint_key] = bytes(12)  # type: ignore[attr-defined]
    assert isinstance(typed("evaluate", "line", "--stage", "dev").exception, Corrupt)


def test_a_layer_that_cannot_be_trained_is_refused_before_anything_is_loaded(
    typed: Callable[..., Result], tmp_path: Path
) -> None:
    """So nobody waits for TensorFlow, and no code in a file runs."""
    path = tmp_path / "mine.keras"
    described = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "Lambda", "config": {"name": "odd"}}]},
    }
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(described))
        archive.writestr("metadata.json", '{"keras_version": "3.15.1"}')
    shown = typed("import", path, tmp_path / "out")
    assert isinstance(shown.exception, Invalid)
    assert "layer 'odd' is a Lambda" in shown.exception.message
    assert not (tmp_path / "out").exists()


def test_without_tensorflow_it_says_what_to_install(typed: Callable[..., Result], tmp_path: Path) -> None:
    document = {"modelTopology": TOPOLOGY, "weightsManifest": []}
    (tmp_path / "model.json").write_text(json.dumps(document))
    for words in (
        ("import", tmp_path, tmp_path / "out"),
        ("export", "line", tmp_path / "a.keras", "--format", "keras", "--stage", "dev"),
        *(("export", "line", tmp_path / f"a{ending}", "--stage", "dev") for ending in (".keras", ".h5", ".onnx")),
    ):
        shown = typed(*words)
        assert isinstance(shown.exception, Missing)
        assert "pip install -e '.[tf]'" in shown.exception.message
    assert [one.name for one in tmp_path.iterdir()] == ["model.json"]
