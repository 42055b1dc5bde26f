"""A new folder is complete, right, and nobody's file is lost over it."""

import json
import re
from pathlib import Path

import pytest
from folders import told

from webnn.errors import Conflict, Invalid
from webnn.project.template import scaffold

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("template", ["digits", "blank"])
def test_nothing_is_wrong_with_a_new_folder(template: str, tmp_path: Path) -> None:
    scaffold(tmp_path / "mine", template)
    assert told(tmp_path / "mine") == []


def test_of_mnist_only_the_data_is_wanting(tmp_path: Path) -> None:
    scaffold(tmp_path / "mnist", "mnist")
    problems = told(tmp_path / "mnist")
    assert len(problems) == 2
    assert all(re.match(r"data\.py:\d+: (train|validation)\(\): FileNotFoundError", one) for one in problems)


@pytest.mark.parametrize("name", ["digits", "mnist"])
def test_the_model_is_that_of_the_example(name: str, tmp_path: Path) -> None:
    scaffold(tmp_path / name, name)
    model = json.loads((tmp_path / name / "model.json").read_text())
    example = json.loads((EXAMPLES / name / "spec.json").read_text())
    assert {key: model[key] for key in ("modelTopology", "weightsManifest")} == {
        key: example[key] for key in ("modelTopology", "weightsManifest")
    }


def test_a_file_that_is_there_is_kept_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "data.py").write_text("mine")
    with pytest.raises(Conflict, match=r"data\.py is there already"):
        scaffold(tmp_path, "blank")
    assert [path.name for path in tmp_path.iterdir()] == ["data.py"]
    assert (tmp_path / "data.py").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Invalid, match="cannot be written"):
        scaffold(tmp_path / "file" / "mine", "blank")


def test_an_unknown_template_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="digits, mnist, blank"):
        scaffold(tmp_path / "mine", "iris")
