"""Folders of runs whose visitors train on data of their own."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from folders import a_folder, told
from samples import a_world

from webnn.cli.main import webnn
from webnn.project.folder import check, read
from webnn.project.push import push

MUST = "[data]\nown = 'must'\n"
VALIDATION = "import numpy as np\n\n\ndef validation():\n    return np.zeros((5, 4)), np.zeros(5, int)\n"


def with_data(parent: Path, toml: str, **files: str) -> Path:
    """The blank folder, with these lines in front of its settings."""
    folder = a_folder(parent, **files)
    place = folder / "webnn.toml"
    place.write_text(toml + place.read_text())
    return folder


def test_where_visitors_must_bring_data_no_function_gives_any(tmp_path: Path) -> None:
    folder = with_data(tmp_path, MUST, data=VALIDATION)
    assert told(folder) == []
    world = a_world()
    push(read(folder), world.services.runs, "dev", lambda _: None)
    data = world.services.runs.describe("blank").spec.data
    assert (data.own, data.train, data.validation_examples) == ("must", (), 5)


def test_data_that_nobody_would_train_on_are_remarked(tmp_path: Path) -> None:
    """As when `own` is all that was changed in a template."""
    folder = with_data(tmp_path, MUST)
    line = 1 + (folder / "data.py").read_text().splitlines().index("def train():")
    found = CliRunner().invoke(webnn, ["validate", str(folder)])
    assert found.exit_code == 0
    said = f"{folder}/data.py:{line}: train() is not used, and nothing of it is uploaded: by own = 'must' in webnn.toml"
    assert said in found.output
    assert "Nothing is wrong with" in found.output
    as_json = CliRunner().invoke(webnn, ["validate", str(folder), "--json"])
    assert said in as_json.stderr
    (remark,) = json.loads(as_json.stdout)["remarks"]
    assert (remark["file"], remark["line"]) == ("data.py", line)
    world = a_world()
    push(read(folder), world.services.runs, "dev", lambda _: None)
    assert world.services.runs.describe("blank").spec.data.train == ()


def test_nothing_is_remarked_of_data_that_are_used(tmp_path: Path) -> None:
    assert check(read(with_data(tmp_path, "[data]\nown = 'may'\n"))) == []
    must = with_data(tmp_path / "must", MUST, data=f"train = 5\n{VALIDATION}")
    assert check(read(must)) == []
    imported = with_data(tmp_path / "imported", MUST, data=f"from elsewhere import train\n{VALIDATION}")
    (imported / "elsewhere.py").write_text("def train():\n    return 1\n")
    assert [remark.line for remark in check(read(imported))] == [None]


def test_where_they_may_the_owner_gives_some_too(tmp_path: Path) -> None:
    folder = with_data(tmp_path, "[data]\nown = 'may'\n", data=VALIDATION)
    assert told(folder) == ["data.py: there is no function train()"]


def test_what_is_not_asked_for_leaves_the_spec_as_it_was(tmp_path: Path) -> None:
    assert read(a_folder(tmp_path)).document.spec["data"].keys() == {"inputs", "targets"}


WRONG = {
    "another word": ("[data]\nown = 'mus'\n", "webnn.toml:2: own: invalid enum value 'mus'; did you mean 'must'?"),
    "labels of another number": (
        "[data]\nlabels = ['left', 'right']\n",
        "webnn.toml:2: labels: 2 classes are named, the model gives 3",
    ),
    "a label twice": ("[data]\nlabels = ['a', 'a', 'b']\n", "webnn.toml:2: the spec is wrong: two of `data.labels`"),
    "no label at all": ("[data]\nlabels = []\n", "webnn.toml:2: labels: expected `array` of length >= 2"),
    "training examples of nobody's": (
        MUST + "train_examples = 5\n",
        "webnn.toml:3: train_examples: where own is must there is no training data: delete the line",
    ),
    "peers": (
        "[data]\nown = 'may'\n[x]\n",
        "webnn.toml:2: `data.own` is may, and peers give their updates to one another",
    ),
}


@pytest.mark.parametrize(("toml", "problem"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, toml: str, problem: str) -> None:
    folder = with_data(tmp_path, toml.replace("[x]\n", ""))
    if "[x]" in toml:
        place = folder / "webnn.toml"
        place.write_text(place.read_text().replace('rule = "auto"', 'rule = "average"\nwhere = "peer"'))
    found = told(folder)
    assert found[0].startswith(problem)
    assert len(found) == 1


@pytest.mark.parametrize("template", ["digits", "mnist"])
def test_the_templates_name_their_classes_and_take_visitors_own(tmp_path: Path, template: str) -> None:
    data = read(a_folder(tmp_path, template)).document.spec["data"]
    assert (data["labels"], data["own"]) == (tuple("0123456789"), "may")
