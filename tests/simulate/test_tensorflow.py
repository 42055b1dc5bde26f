"""The TensorFlow learner, in the environment that has it: `make test` sets it up."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from webnn.cli.main import webnn
from webnn.errors import Missing

PYTHON = Path(__file__).parents[2] / "build" / "experiments" / "bin" / "python"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.skip("TensorFlow is not set up: make build/experiments/.stamp")
    path = tmp_path_factory.mktemp("tensorflow") / "found.json"
    script = Path(__file__).with_name("in_tensorflow.py")
    ended = subprocess.run([PYTHON, script, path], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def test_it_learns_what_numpys_learns(found: dict[str, Any]) -> None:
    """Under every optimizer that a page has; so it takes the pages' steps, because numpy's does."""
    assert {name: apart for name, apart in found["apart"].items() if apart > 2e-5} == {}
    assert len(found["apart"]) == 13


def test_a_moving_mean_follows_what_was_seen_in_training_and_in_nothing_else(found: dict[str, Any]) -> None:
    assert found["statistics"]["mean"] < 1e-6
    assert found["statistics"]["again"] == 0


def test_a_simulated_run_learns(found: dict[str, Any]) -> None:
    assert 0 < found["time"] < 100


def test_a_recurrent_models_weights_have_the_names_that_pages_give_them(found: dict[str, Any]) -> None:
    assert found["recurrent"] == "nothing"


def test_what_keras_cannot_build_or_builds_otherwise_is_said(found: dict[str, Any]) -> None:
    unknown, other = found["refused"]
    assert unknown.startswith("Keras cannot build the model")
    assert other == "Keras builds a model with other weights than the spec's"


def test_without_tensorflow_it_says_what_to_install() -> None:
    shown = CliRunner().invoke(webnn, ["simulate", "--learner", "tensorflow", "--time", "1"])
    assert isinstance(shown.exception, Missing)
    assert "pip install -e '.[tf]'" in shown.exception.message
