"""What becomes of a run that its owner pauses, starts, stops, resets and retrains."""

from typing import Any

import pytest
from faults import Crash, Faulty, around, crash, lost, once
from samples import World, a_world

from webnn.clients import Evaluate, Stop, Train, Wait
from webnn.core.records import Status, UpdateState, Without
from webnn.errors import Conflict, Corrupt, Missing, Unavailable
from webnn.evaluations import Report
from webnn.standing import ATTEMPTS


@pytest.fixture
def world() -> World:
    return a_lived_world(end={"accuracy": 0.9})


def a_lived_world(**members: Any) -> World:
    """At version 2, each version a commit of its own."""
    world = a_world()
    world.start([1, 2, 3], **members)
    for delta in ([1, 0, 0], [0, 1, 0]):
        merged(world, delta)
    return world


def merged(world: World, delta: list[float]) -> None:
    world.contribute(delta, base_version=world.head.version, generation=world.head.generation)
    world.drain()


def evaluated(world: World, accuracy: float) -> None:
    """A client is asked for the head, and says so much."""
    member = world.services.clients.join("line")
    task = world.services.clients.next_task(member)
    assert isinstance(task, Evaluate)
    report = Report(task.lease.evaluation_id, task.lease.version, 0.1, accuracy, 8)
    world.services.evaluations.report(member, report)


def task(world: World) -> Any:
    return world.services.clients.next_task(world.services.clients.join("line"))


class TestPause:
    def test_lets_clients_wait_until_it_is_started(self, world: World) -> None:
        assert world.services.control.pause("line") == world.head
        assert world.head.status is Status.PAUSED
        assert isinstance(task(world), Wait)
        assert world.services.control.start("line") == world.head
        assert isinstance(task(world), Train | Evaluate)

    def test_loses_nothing_that_was_trained(self, world: World) -> None:
        before = world.contribute([0, 0, 1], base_version=2)
        world.services.control.pause("line")
        after = world.contribute([0, 0, 1], base_version=2)
        world.drain()
        assert [world.now(update).state for update in (before, after)] == [UpdateState.MERGED] * 2
        assert (world.head.version, world.head.status) == (4, Status.PAUSED)

    def test_again_changes_nothing(self, world: World) -> None:
        paused = world.services.control.pause("line")
        assert world.services.control.pause("line") == paused == world.head

    def test_of_a_finished_run_is_refused(self, world: World) -> None:
        world.services.control.finish("line")
        with pytest.raises(Conflict, match="finished"):
            world.services.control.pause("line")
        assert world.head.status is Status.FINISHED

    def test_of_a_run_that_is_finished_meanwhile_is_refused(self, world: World) -> None:
        finish = once("set_status", lambda: world.services.control.finish("line"))
        with pytest.raises(Conflict, match="finished"):
            around(world, catalog=Faulty(world.catalog, before=finish)).services.control.pause("line")
        assert world.head.status is Status.FINISHED

    def test_comes_though_a_commit_moves_the_head_meanwhile(self, world: World) -> None:
        world.contribute([0, 0, 1], base_version=2)
        racing = around(world, catalog=Faulty(world.catalog, before=once("set_status", world.drain)))
        racing.services.control.pause("line")
        assert (world.head.version, world.head.status) == (3, Status.PAUSED)

    @pytest.mark.parametrize("verb", ["pause", "finish"])
    def test_is_given_up_when_others_write_again_and_again(self, world: World, verb: str) -> None:
        tries: list[str] = []

        def refuse(name: str) -> None:
            if name == "set_status":
                tries.append(name)
                raise Conflict("busy")

        busy = around(world, catalog=Faulty(world.catalog, before=refuse)).services.control
        with pytest.raises(Unavailable, match="try again"):
            getattr(busy, verb)("line")
        assert len(tries) == ATTEMPTS
        assert world.head.status is Status.RUNNING


@pytest.mark.parametrize("verb", ["pause", "start", "finish", "reset", "retrain"])
class TestEachOfThem:
    def test_is_about_a_run_that_is_there(self, world: World, verb: str) -> None:
        with pytest.raises(Missing):
            getattr(world.services.control, verb)("gone")

    @pytest.mark.parametrize("when", ["before", "after"])
    @pytest.mark.parametrize("method", ["set_status", "commit"])
    def test_ends_the_same_when_it_is_told_again_after_a_silence(
        self, world: World, verb: str, when: Any, method: str
    ) -> None:
        world.services.control.finish("line") if verb in ("start", "retrain") else None
        losing = around(world, catalog=Faulty(world.catalog, **{when: once(method, lost)})).services.control
        try:
            getattr(losing, verb)("line")
        except Unavailable:
            getattr(losing, verb)("line")
        moved = verb in ("reset", "retrain")
        assert (world.head.version, world.head.generation) == ((3, 1) if moved else (2, 0))
        expected = {"pause": Status.PAUSED, "finish": Status.FINISHED}.get(verb, Status.RUNNING)
        assert world.head.status is expected


class TestStop:
    def test_tells_clients_to_stop(self, world: World) -> None:
        assert world.services.control.finish("line").status is Status.FINISHED
        assert isinstance(task(world), Stop)

    def test_discards_what_is_not_merged_yet(self, world: World) -> None:
        update = world.contribute([0, 0, 1], base_version=2)
        world.services.control.finish("line")
        world.drain()
        assert world.now(update).state is UpdateState.DISCARDED
        assert world.head.version == 2

    def test_of_a_paused_run_finishes_it(self, world: World) -> None:
        world.services.control.pause("line")
        assert world.services.control.finish("line").status is Status.FINISHED


class TestStart:
    def test_lets_a_run_go_on_that_was_stopped_before_its_end(self, world: World) -> None:
        evaluated(world, 0.5)
        world.services.control.finish("line")
        world.services.control.start("line")
        world.services.evaluations.finish_if_reached("line")
        assert world.head.status is Status.RUNNING
        merged(world, [0, 0, 1])
        assert world.weights == [2, 3, 4]

    @pytest.mark.parametrize("paused", [False, True])
    def test_of_a_run_that_has_reached_its_end_is_refused(self, world: World, paused: bool) -> None:
        """The next sweep would finish it again."""
        asked = world.services.clients.join("line")
        evaluation = world.services.clients.next_task(asked)
        if paused:
            world.services.control.pause("line")
        report = Report(evaluation.lease.evaluation_id, evaluation.lease.version, 0.1, 0.95, 8)
        world.services.evaluations.report(asked, report)
        with pytest.raises(Conflict, match=r"version 2 .*retrain"):
            world.services.control.start("line")
        assert world.head.status is (Status.PAUSED if paused else Status.FINISHED)

    def test_of_a_running_run_changes_nothing(self, world: World) -> None:
        head = world.head
        assert world.services.control.start("line") == head == world.head


class TestReset:
    @pytest.mark.parametrize("status", list(Status))
    def test_brings_back_the_first_weights_and_keeps_the_status(self, world: World, status: Status) -> None:
        world.catalog.set_status(world.head, status)
        head = world.services.control.reset("line")
        assert world.weights == [1, 2, 3]
        assert (head.version, head.generation, head.status) == (3, 1, status)
        assert head == world.head

    def test_loses_nothing(self, world: World) -> None:
        blobs = dict(world.blobs._blobs)
        world.services.control.reset("line")
        assert world.blobs._blobs.items() >= blobs.items()
        assert [found.entry.version for found in world.services.replay.replay("line")] == [0, 1, 2, 3]
        world.services.restorer.rollback("line", 2)
        assert world.weights == [2, 3, 3]

    def test_of_what_is_at_its_first_weights_changes_nothing(self, world: World) -> None:
        head = world.services.control.reset("line")
        assert world.services.control.reset("line") == head == world.head
        fresh = a_world()
        assert fresh.start() == fresh.services.control.reset("line")

    def test_goes_back_again_once_something_was_merged(self, world: World) -> None:
        world.services.control.reset("line")
        merged(world, [5, 5, 5])
        assert world.services.control.reset("line").version == 5
        assert world.weights == [1, 2, 3]

    def test_without_the_first_checkpoint_moves_nothing(self, world: World) -> None:
        head = world.head
        del world.blobs._blobs[world.catalog.ledger_entry("line", 0).checkpoint_key]
        with pytest.raises(Corrupt):
            world.services.control.retrain("line")
        assert world.head == head


class TestRetrain:
    @pytest.mark.parametrize("status", list(Status))
    def test_starts_from_the_first_weights_whatever_the_status_was(self, world: World, status: Status) -> None:
        world.catalog.set_status(world.head, status)
        assert world.services.control.retrain("line") == world.head
        assert (world.head.status, world.weights) == (Status.RUNNING, [1, 2, 3])

    def test_goes_on_though_the_end_was_reached_before(self, world: World) -> None:
        evaluated(world, 0.95)
        assert world.head.status is Status.FINISHED
        world.services.control.retrain("line")
        world.services.evaluations.finish_if_reached("line")
        assert world.head.status is Status.RUNNING
        evaluated(world, 0.1)
        assert world.head.status is Status.RUNNING
        merged(world, [0, 0, 4])
        assert world.weights == [1, 2, 7]

    def test_refuses_what_was_made_for_the_weights_before(self, world: World) -> None:
        late = world.contribute([9, 9, 9], base_version=2)
        world.services.control.retrain("line")
        world.drain()
        assert world.now(late).state is UpdateState.DISCARDED

    def test_that_was_cut_off_in_the_middle_is_ended_by_another(self, world: World) -> None:
        evaluated(world, 0.95)
        crashing = around(world, catalog=Faulty(world.catalog, before=once("set_status", crash)))
        with pytest.raises(Crash):
            crashing.services.control.retrain("line")
        assert (world.head.status, world.head.generation) == (Status.FINISHED, 1)
        world.services.control.retrain("line")
        assert (world.head.status, world.head.generation) == (Status.RUNNING, 1)

    def test_is_refused_when_the_first_weights_reach_the_end_themselves(self) -> None:
        world = a_world()
        world.start(end={"accuracy": 0.9})
        evaluated(world, 0.95)
        with pytest.raises(Conflict, match="version 0"):
            world.services.control.retrain("line")

    def test_is_not_finished_by_an_evaluation_that_was_under_way(self, world: World) -> None:
        """It read the head of before, and writes the status after the reset."""
        retrain = once("set_status", lambda: world.services.control.retrain("line"))
        racing = around(world, catalog=Faulty(world.catalog, before=retrain))
        evaluated(racing, 0.95)
        assert (world.head.status, world.head.generation) == (Status.RUNNING, 1)


class TestAnEndByVersions:
    """Versions never go back, so those count that stand behind the weights."""

    @pytest.mark.parametrize(("count", "status"), [(1, Status.RUNNING), (2, Status.FINISHED)])
    def test_is_counted_anew_after_a_reset(self, count: int, status: Status) -> None:
        world = a_lived_world(end={"versions": 2}, validation={"every_versions": 1})
        evaluated(world, 0.1)
        assert world.head.status is Status.FINISHED
        world.services.control.retrain("line")
        evaluated(world, 0.1)
        assert world.head.status is Status.RUNNING
        for _ in range(count):
            merged(world, [1, 0, 0])
        evaluated(world, 0.1)
        assert world.head.status is status

    @pytest.mark.parametrize(("count", "status"), [(2, Status.RUNNING), (3, Status.FINISHED)])
    def test_counts_what_a_rollback_went_back_to(self, count: int, status: Status) -> None:
        """Of two back to one, and to that again: one is left, and three more are to come."""
        world = a_lived_world(end={"versions": 4}, validation={"every_versions": 1})
        world.services.restorer.rollback("line", 1)
        world.services.restorer.rollback("line", 3)
        for _ in range(count):
            merged(world, [1, 0, 0])
        evaluated(world, 0.1)
        assert world.head.status is status

    @pytest.mark.parametrize(("count", "status"), [(1, Status.RUNNING), (2, Status.FINISHED)])
    def test_counts_what_an_unmerge_left_out_too(self, count: int, status: Status) -> None:
        world = a_lived_world(end={"versions": 4}, validation={"every_versions": 1})
        (line,) = world.catalog.ledger_entry("line", 1).updates
        world.services.restorer.unmerge("line", Without(updates=(line.update_id,)))
        for _ in range(count):
            merged(world, [1, 0, 0])
        evaluated(world, 0.1)
        assert world.head.status is status


def test_a_run_whose_time_is_up_is_not_started_but_retrained_and_has_its_time_anew() -> None:
    """Its time counts from the first update of a generation."""
    world = a_lived_world(end={"seconds": 60})
    world.clock.now += 61_000
    assert isinstance(task(world), Stop)
    with pytest.raises(Conflict, match="in time: `webnn retrain line`"):
        world.services.control.start("line")
    world.services.control.retrain("line")
    merged(world, [1, 0, 0])
    world.clock.now += 59_000
    world.services.evaluations.finish_if_reached("line")
    assert world.head.status is Status.RUNNING
    world.clock.now += 1_000
    world.services.evaluations.finish_if_reached("line")
    assert world.head.status is Status.FINISHED
