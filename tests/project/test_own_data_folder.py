"""Folders of runs whose visitors train on data of their own."""

from pathlib import Path

import pytest
from folders import a_folder, told
from samples import a_world

from webnn.project.folder import read
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
