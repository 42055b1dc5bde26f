"""Starting a run, and finishing it."""

import json
from typing import Any

import numpy as np
import pytest
from faults import Faulty, around, once
from samples import World, a_spec, a_world

from webnn.clients import Stop
from webnn.core.records import Status
from webnn.core.wire import sha256
from webnn.errors import Conflict, Corrupt, Invalid, Missing, Unavailable
from webnn.evaluations import Report
from webnn.standing import ATTEMPTS
from webnn.store import keys

SPEC = json.dumps(a_spec()).encode()
WEIGHTS = np.float32([1, 2, 3])


@pytest.fixture
def world() -> World:
    return a_world()


class TestStart:
    def test_version_0_holds_the_weights_that_were_brought(self, world: World) -> None:
        world.start([1, 2, 3])
        assert world.weights == [1, 2, 3]
        assert (world.head.version, world.head.steps, world.head.generation) == (0, 0, 0)
        (genesis,) = world.catalog.ledger("line", -1, 10)
        assert (genesis.version, genesis.from_version, genesis.updates) == (0, 0, ())
        assert genesis.checkpoint_key == world.head.checkpoint_key

    def test_the_spec_is_stored_byte_for_byte_under_its_hash(self, world: World) -> None:
        run = world.services.runs.start("line", "A line", "", SPEC, WEIGHTS)
        assert run.spec_key == keys.spec("line", sha256(SPEC))
        assert world.blobs.get(run.spec_key) == SPEC
        assert run.spec_bytes == len(SPEC)

    def test_a_taken_name_conflicts_and_leaves_the_run_as_it_was(self, world: World) -> None:
        head = world.start()
        with pytest.raises(Conflict):
            world.services.runs.start("line", "Another", "", SPEC, WEIGHTS)
        assert world.head == head
        assert world.catalog.run("line").title == "A line"

    def test_what_failed_before_the_rows_were_written_can_be_tried_again(self, world: World) -> None:
        def lost() -> None:
            raise Unavailable("the answer was lost")

        failing = around(world, catalog=Faulty(world.catalog, before=once("create_run", lost)))
        with pytest.raises(Unavailable):
            failing.start()
        with pytest.raises(Missing):
            world.catalog.run("line")
        failing.start()
        assert world.weights == [1, 2, 3]

    @pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a" * 64, "a/b", "..", "a\n", "ä", "*"])
    def test_a_name_that_fits_no_address_is_invalid(self, world: World, name: str) -> None:
        with pytest.raises(Invalid, match="name"):
            world.services.runs.start(name, "", "", SPEC, WEIGHTS)

    @pytest.mark.parametrize(("title", "description"), [("x" * 201, ""), ("", "x" * 5001), (5, ""), ("", None)])
    def test_words_that_are_none_or_too_many_are_invalid(self, world: World, title: str, description: str) -> None:
        world.services.runs.start("other", "x" * 200, "x" * 5000, SPEC, WEIGHTS)
        with pytest.raises(Invalid, match="title" if description == "" else "description"):
            world.services.runs.start("line", title, description, SPEC, WEIGHTS)

    @pytest.mark.parametrize("weights", [[], [1, 2], [1, 2, 3, 4]])
    def test_weights_of_another_number_are_invalid(self, world: World, weights: list[float]) -> None:
        with pytest.raises(Invalid, match="weights"):
            world.services.runs.start("line", "", "", SPEC, np.float32(weights))

    @pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
    def test_weights_that_are_not_finite_are_invalid(self, world: World, value: float) -> None:
        with pytest.raises(Invalid, match="NaN or infinity"):
            world.services.runs.start("line", "", "", SPEC, np.float32([1, value, 3]))

    def test_nothing_is_written_for_a_spec_that_is_wrong(self, world: World) -> None:
        with pytest.raises(Invalid):
            world.services.runs.start("line", "", "", b"{}", WEIGHTS)
        assert world.blobs._blobs == {}

    def test_the_same_shard_is_stored_once(self, world: World) -> None:
        first, second = (world.services.runs.add_shard(b"examples") for _ in range(2))
        assert first == second == sha256(b"examples")
        assert world.blobs.get(keys.shard(first)) == b"examples"


class TestTheEnd:
    def report(self, world: World, accuracy: float = 0.5, **members: Any) -> None:
        member = world.services.clients.join("line")
        task = world.services.clients.next_task(member)
        report = Report(task.lease.evaluation_id, task.lease.version, 0.1, accuracy, 8)
        world.services.evaluations.report(member, report)

    @pytest.mark.parametrize(("accuracy", "status"), [(0.8999, Status.RUNNING), (0.9, Status.FINISHED)])
    def test_is_an_accuracy_that_was_reached(self, world: World, accuracy: float, status: Status) -> None:
        world.start(end={"accuracy": 0.9})
        self.report(world, accuracy)
        assert world.head.status is status

    @pytest.mark.parametrize(("versions", "status"), [(2, Status.RUNNING), (3, Status.FINISHED)])
    def test_is_a_version_that_was_evaluated(self, world: World, versions: int, status: Status) -> None:
        world.start(end={"versions": 3})
        for _ in range(versions):
            world.contribute([0, 0, 0])
        world.drain()
        self.report(world)
        assert world.head.status is status

    def test_is_a_time_after_the_first_update_and_who_asks_next_is_told(self, world: World) -> None:
        world.start(end={"seconds": 60})
        member = world.services.clients.join("line")
        world.clock.now += 3_600_000  # nothing was merged yet: it has not begun
        assert not isinstance(world.services.clients.next_task(member), Stop)
        world.contribute([0, 0, 0])
        world.drain()
        world.clock.now += 59_999
        assert not isinstance(world.services.clients.next_task(member), Stop)
        assert world.head.status is Status.RUNNING
        world.clock.now += 1
        assert world.services.clients.next_task(member) == Stop("the run's time is up")
        assert world.head.status is Status.FINISHED

    @pytest.mark.parametrize(("seconds", "status"), [(61, Status.RUNNING), (60, Status.FINISHED)])
    def test_is_a_time_though_nobody_asks_any_more(self, world: World, seconds: int, status: Status) -> None:
        world.start(end={"seconds": seconds})
        world.contribute([0, 0, 0])
        world.drain()
        world.clock.now += 60_000
        (swept,) = world.services.sweeper.sweep(lambda: False)
        assert swept.error is None
        assert world.head.status is status

    def test_by_time_leaves_a_paused_run_paused(self, world: World) -> None:
        world.start(end={"seconds": 60})
        world.contribute([0, 0, 0])
        world.drain()
        world.clock.now += 60_000
        world.catalog.set_status(world.head, Status.PAUSED)
        world.services.evaluations.finish_if_reached("line")
        assert world.head.status is Status.PAUSED

    def test_when_the_run_began_is_read_once(self, world: World) -> None:
        world.start(end={"seconds": 60})
        world.contribute([0, 0, 0])
        world.drain()
        reads: list[str] = []
        counting = around(world, catalog=Faulty(world.catalog, before=reads.append))
        member = counting.services.clients.join("line")
        for _ in range(3):
            counting.services.clients.next_task(member)
        assert reads.count("ledger") == 1

    def test_never_comes_by_itself_unless_the_spec_says_so(self, world: World) -> None:
        world.start()
        self.report(world, accuracy=1.0)
        assert world.head.status is Status.RUNNING

    def test_comes_though_a_commit_moves_the_head_meanwhile(self, world: World) -> None:
        world.start(end={"accuracy": 0.9})
        world.contribute([1, 0, 0])
        racing = around(world, catalog=Faulty(world.catalog, before=once("set_status", world.drain)))
        self.report(racing, accuracy=0.9)
        assert (world.head.version, world.head.status) == (1, Status.FINISHED)

    def test_leaves_a_paused_run_paused(self, world: World) -> None:
        world.start(end={"accuracy": 0.9})

        def pause() -> None:
            world.catalog.set_status(world.head, Status.PAUSED)

        racing = around(world, catalog=Faulty(world.catalog, before=once("set_status", pause)))
        self.report(racing, accuracy=0.9)
        assert world.head.status is Status.PAUSED

    def test_asks_to_report_again_when_the_status_will_not_be_set(self, world: World) -> None:
        world.start(end={"accuracy": 0.9})
        tries: list[str] = []

        def refuse(name: str) -> None:
            if name == "set_status":
                tries.append(name)
                raise Conflict("busy")

        with pytest.raises(Unavailable, match="try again"):
            self.report(around(world, catalog=Faulty(world.catalog, before=refuse)), accuracy=0.9)
        assert len(tries) == ATTEMPTS


def test_a_run_whose_spec_is_gone_hides_no_other(world: World) -> None:
    world.start()
    lost = world.services.runs.start("other", "Another", "", SPEC + b" ", WEIGHTS)
    del world.blobs._blobs[lost.spec_key]
    assert [found.run.run for found in world.services.runs.all()] == ["line"]
    with pytest.raises(Corrupt):
        world.services.runs.describe("other")


def test_a_run_whose_rows_are_half_deleted_hides_no_other(world: World) -> None:
    world.start()
    world.services.runs.start("other", "Another", "", SPEC, WEIGHTS)
    del world.catalog._heads["other"]
    assert [found.run.run for found in world.services.runs.all()] == ["line"]


def test_more_runs_than_are_listed_are_not_read_from_storage_each_time(world: World) -> None:
    for number in range(20):
        world.services.runs.start(f"run-{number}", "", "", SPEC + b" " * number, WEIGHTS)
    reads: list[str] = []
    counting = around(world, blobs=Faulty(world.blobs, before=reads.append))
    for _ in range(3):
        assert len(counting.services.runs.all()) == 20
    assert reads.count("get") == 20
