"""The example notebook, executed by a kernel, interrupted amid its training, and gone on with."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve()
CHECKOUT = HERE.parents[2]
PYTHON = CHECKOUT / "build" / "experiments" / "bin" / "python"


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What each code cell has put out, by its source."""
    if not PYTHON.exists():
        pytest.skip("TensorFlow is not set up: make build/experiments/.stamp")
    folder = tmp_path_factory.mktemp("notebook")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "WEBNN_"))}
    paths = os.pathsep.join([str(CHECKOUT), *filter(None, [kept.get("PYTHONPATH")])])
    variables = {
        **kept,
        "PYTHONPATH": paths,
        "WEBNN_STATE": str(folder / "state"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    command = [
        PYTHON,
        HERE.with_name("in_notebook.py"),
        CHECKOUT / "examples" / "notebook.ipynb",
        folder / "found.json",
    ]
    ended = subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return json.loads((folder / "found.json").read_text())  # type: ignore[no-any-return]


def of(outputs: dict[str, list[Any]], part: str) -> list[Any]:
    (found,) = [one for source, one in outputs.items() if part in source]
    return found


def pages(found: list[Any]) -> str:
    return "".join(one["data"].get("text/html", "") for one in found if "data" in one)


def test_no_cell_fails(outputs: dict[str, list[Any]]) -> None:
    assert [one for found in outputs.values() for one in found if one["output_type"] == "error"] == []


def test_link_and_qr_code_are_shown_and_an_interrupt_pauses_the_run(outputs: dict[str, list[Any]]) -> None:
    found = of(outputs, "webnn.fit(")
    page = pages(found)
    assert re.search(r'<a href="http://127\.0\.0\.1:\d+/[^"]+\?run=cnn"', page)
    assert page.count("<svg") >= 1
    texts = "".join(one.get("text", "") for one in found)
    assert re.search(r"Paused at version \d+", texts)


def test_it_goes_on_to_its_end_with_curves_that_grow_in_their_place(outputs: dict[str, list[Any]]) -> None:
    found = of(outputs, "run.start()")
    texts = "".join(one.get("text", "") for one in found)
    assert texts.split() == ["paused", "True", "finished"]
    page = pages(found)
    assert page.count('role="status"') == 1  # one display, changed in its place
    assert "finished" in page
    assert re.search(r"Accuracy and loss of \d+ evaluations", page)


def test_the_trained_model_is_worth_what_the_run_said(outputs: dict[str, list[Any]]) -> None:
    evaluated = json.loads(of(outputs, "trained.evaluate")[-1]["data"]["text/plain"])
    history = of(outputs, "run.history()")[-1]["data"]["text/plain"]
    best = max(float(one) for one in re.findall(r"[\d.e-]+", history.partition("'accuracy': [")[2].partition("]")[0]))
    assert best >= 0.9
    assert evaluated[1] == pytest.approx(best, abs=0.005)
    assert "<svg" in pages(of(outputs, "run.qr"))
