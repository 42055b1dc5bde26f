"""A folder becomes a paused run, once; and it is known whether it was."""

import json
import sys
from pathlib import Path

import pytest
from folders import a_folder
from samples import World, a_world

from webnn.core.records import Status
from webnn.errors import Conflict, Missing
from webnn.project.folder import read
from webnn.project.push import push, pushed, set_running
from webnn.publish import Progress


@pytest.fixture
def world() -> World:
    return a_world(name="blank")


def push_now(folder: Path, world: World) -> list[Progress]:
    told: list[Progress] = []
    push(read(folder), world.services.runs, "dev", told.append)
    return told


def test_a_folder_becomes_a_paused_run_that_says_what_the_folder_says(tmp_path: Path, world: World) -> None:
    folder = a_folder(tmp_path)
    (folder / "webnn.toml").write_text(
        (folder / "webnn.toml").read_text().replace('title = ""', 'title = "Three centres"')
    )
    last = push_now(folder, world)[-1]
    found = world.services.runs.describe("blank")
    assert (found.head.status, found.head.version, found.run.title) == (Status.PAUSED, 0, "Three centres")
    assert (found.spec.data.train_examples, found.spec.data.validation_examples) == (3000, 600)
    assert (last.shards, last.total, last.sent) == (8, 8, 3600 * 17)
    assert (found.spec.validation.every_versions, found.spec.end.accuracy) == (20, 0.95)


def test_pushed_again_nothing_is_sent_and_the_run_is_the_same(tmp_path: Path, world: World) -> None:
    folder = a_folder(tmp_path)
    push_now(folder, world)
    head = world.head
    assert push_now(folder, world)[-1].sent == 0
    assert world.head == head


def test_a_run_never_changes_so_a_changed_folder_wants_another_name(tmp_path: Path, world: World) -> None:
    folder = a_folder(tmp_path)
    push_now(folder, world)
    toml = (folder / "webnn.toml").read_text()
    (folder / "webnn.toml").write_text(toml.replace("batch_size = 64", "batch_size = 32"))
    with pytest.raises(Conflict, match="give this one another name"):
        push_now(folder, world)
    (folder / "webnn.toml").write_text(toml.replace("batch_size = 64", "batch_size = 32").replace("# name", "name"))
    (folder / "webnn.toml").write_text((folder / "webnn.toml").read_text().replace('"blank"', '"blank-2"'))
    assert push_now(folder, world)[-1].sent == 0  # the data did not change
    assert world.catalog.run("blank-2").run == "blank-2"


def test_it_is_known_what_was_pushed_and_where(tmp_path: Path, world: World) -> None:
    folder = a_folder(tmp_path)
    assert pushed(read(folder), world.services.runs, "dev") is None
    push_now(folder, world)
    assert pushed(read(folder), world.services.runs, "dev") == world.catalog.run("blank")
    assert pushed(read(folder), world.services.runs, "prod") is None
    assert pushed(read(folder), a_world().services.runs, "dev") is None  # that stage was taken down since
    (folder / "data.py").write_text((folder / "data.py").read_text() + "\n# changed\n")
    assert pushed(read(folder), world.services.runs, "dev") is None


@pytest.mark.parametrize("text", ["", "{", '{"run": 1}'])
def test_a_record_that_is_damaged_is_as_none(text: str, tmp_path: Path, world: World) -> None:
    folder = a_folder(tmp_path)
    push_now(folder, world)
    (folder / ".webnn" / "dev.json").write_text(text)
    assert pushed(read(folder), world.services.runs, "dev") is None


def test_a_run_is_set_running_and_one_that_is_over_stays_so(tmp_path: Path, world: World) -> None:
    push_now(a_folder(tmp_path), world)
    assert set_running(world.catalog, "blank").status is Status.RUNNING
    assert set_running(world.catalog, "blank").status is Status.RUNNING
    assert world.head.status is Status.RUNNING
    world.catalog.set_status(world.head, Status.FINISHED)
    assert set_running(world.catalog, "blank").status is Status.FINISHED
    with pytest.raises(Missing):
        set_running(world.catalog, "nothing")


def test_the_record_holds_no_more_than_is_needed(tmp_path: Path, world: World) -> None:
    folder = a_folder(tmp_path)
    push_now(folder, world)
    found = json.loads((folder / ".webnn" / "dev.json").read_text())
    assert sorted(found) == ["files", "run", "spec_sha256"]
    assert "tensorflow" not in sys.modules
