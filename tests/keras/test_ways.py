"""Models in and out of both Kerases, in the environment that has them: `make test` sets it up."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import zoo

from webnn.keras.layers import KNOWN

PYTHON = Path(__file__).parents[2] / "build" / "experiments" / "bin" / "python"
GOLDEN = Path(__file__).parents[1] / "golden" / "keras" / "models.json"
AT_MOST = 1e-5


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    if not PYTHON.exists():
        pytest.skip("TensorFlow is not set up: make build/experiments/.stamp")
    path = tmp_path_factory.mktemp("keras") / "found.json"
    script = Path(__file__).with_name("in_keras.py")
    ended = subprocess.run([PYTHON, script, path, GOLDEN], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    return {**json.loads(path.read_text()), "errors": ended.stderr}


def test_nothing_is_remarked_on_standard_error(found: dict[str, Any]) -> None:
    """What the tests save themselves may be remarked on: of that is each line that names a way of saving."""
    remarks = [line for line in found["errors"].splitlines() if not re.search(r"\bsav(e|ing)", line)]
    assert remarks == []


def test_every_model_predicts_the_same_behind_every_door(found: dict[str, Any]) -> None:
    assert {way: apart for way, apart in found["ways"].items() if not apart <= AT_MOST} == {}
    assert len(found["ways"]) == len(zoo.WHOLE) * 4 + 3 * 5


def test_the_golden_models_predict_in_both_kerases_what_vitest_finds_in_pages(found: dict[str, Any]) -> None:
    assert {name: apart for name, apart in found["golden"].items() if not apart <= AT_MOST} == {}
    assert len(found["golden"]) == 2 * (len(zoo.LAYERS) + 2 * len(zoo.WHOLE))


def test_every_layer_that_is_taken_is_in_the_golden_file() -> None:
    """Where `vitest` lets it predict and train."""
    kinds = set(re.findall(r'"class_name": "(\w+)"', GOLDEN.read_text()))
    assert set(KNOWN) - kinds == set()


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("lambda", "'mine' is a Lambda"),
        ("old lambda", "'mine' is a Lambda"),
        ("operation", "is the bare function Add: use a layer"),
        ("gru", "'memory' is a GRU with reset_after=True"),
        ("dilated", "'wide' is a Conv1D with dilation_rate=[2]"),
        ("half", "'half' computes in mixed_float16"),
        ("states", "'memory' is a LSTM with return_state=True"),
        ("frozen", "'norm' is a BatchNormalization with trainable=False"),
        ("attention", "'attention' is a MultiHeadAttention"),
        ("shapeless", "begin it with keras.Input(shape)"),
    ],
)
def test_what_no_page_can_train_is_named(found: dict[str, Any], what: str, said: str) -> None:
    assert said in found["refused"][what]
