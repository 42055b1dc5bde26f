"""A run of the same spec and data as another, from its weights."""

from typing import Any

import pytest
from faults import Crash, Faulty, around, crash, once
from samples import World, a_world

from webnn.core.records import Status
from webnn.core.spec import End
from webnn.errors import Conflict, Corrupt, Invalid, Missing
from webnn.store import keys


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start([1, 2, 3], end={"accuracy": 0.9}, title="A line")
    for delta in ([1, 0, 0], [0, 1, 0]):
        found.contribute(delta, base_version=found.head.version)
        found.drain()
    return found


def weights_of(world: World, name: str) -> list[float]:
    return a_world(world.catalog, world.blobs, world.clock, world.ids, name=name).weights


@pytest.mark.parametrize(("version", "weights"), [(None, [2, 3, 3]), (0, [1, 2, 3]), (1, [2, 2, 3])])
def test_begins_with_the_weights_that_were_chosen(world: World, version: int | None, weights: list[float]) -> None:
    made = world.services.copier.copy("line", "copy", version)
    head = world.catalog.head("copy")
    assert (head.version, head.steps, head.generation, head.status) == (0, 0, 0, Status.RUNNING)
    assert weights_of(world, "copy") == weights
    assert (made.title, made.description) == ("A line", "Fits a line.")
    assert made.spec_sha256 == world.catalog.run("line").spec_sha256


def test_goes_on_without_the_run_that_it_was_made_of(world: World) -> None:
    before = world.head
    world.services.copier.copy("line", "copy")
    copy = a_world(world.catalog, world.blobs, world.clock, world.ids, name="copy")
    copy.contribute([0, 0, 7])
    copy.drain()
    assert copy.weights == [2, 3, 10]
    assert world.head == before
    assert [found.entry.version for found in copy.services.replay.replay("copy")] == [0, 1]


def test_stores_no_data_again(world: World) -> None:
    world.services.runs.add_shard(b"\0" * 96)
    before = set(world.blobs._blobs)
    writes: list[str] = []
    watched = around(world, blobs=Faulty(world.blobs, before=writes.append))
    watched.services.copier.copy("line", "copy")
    spec, checkpoint = sorted(set(world.blobs._blobs) - before, reverse=True)
    assert (spec.split("/")[0], checkpoint.split("/")[0]) == ("specs", "checkpoints")
    assert writes.count("create") == 2


def test_may_end_elsewhere(world: World) -> None:
    world.services.copier.copy("line", "copy", until=0.97)
    found = world.services.runs.describe("copy").spec
    assert found.end == End(accuracy=0.97)
    assert found.data == world.services.runs.describe("line").spec.data


def test_of_a_finished_run_is_running(world: World) -> None:
    world.services.control.finish("line")
    world.services.copier.copy("line", "copy")
    assert world.catalog.head("copy").status is Status.RUNNING


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("gone", "copy"), Missing),
        (("line", "line"), Conflict),
        (("line", "A copy"), Invalid),
        (("line", "copy", 7), Invalid),
        (("line", "copy", None, 7.0), Invalid),
    ],
)
def test_what_cannot_be_copied_leaves_nothing_behind(world: World, arguments: Any, error: type[Exception]) -> None:
    before = dict(world.blobs._blobs)
    with pytest.raises(error):
        world.services.copier.copy(*arguments)
    assert world.blobs._blobs == before
    assert [run.run for run in world.catalog.runs()] == ["line"]


def test_weights_that_are_gone_are_corrupt(world: World) -> None:
    del world.blobs._blobs[world.catalog.ledger_entry("line", 1).checkpoint_key]
    with pytest.raises(Corrupt):
        world.services.copier.copy("line", "copy", 1)


def test_a_copy_that_was_cut_off_can_be_made_again(world: World) -> None:
    failing = around(world, catalog=Faulty(world.catalog, before=once("create_run", crash)))
    with pytest.raises(Crash):
        failing.services.copier.copy("line", "copy")
    with pytest.raises(Missing):
        world.catalog.run("copy")
    world.services.copier.copy("line", "copy")
    assert weights_of(world, "copy") == [2, 3, 3]
    assert len(world.blobs.listed(keys.checkpoints("copy"), "", 9)) == 2  # one of them an orphan
