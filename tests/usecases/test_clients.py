"""What a client is told to do next."""

from typing import Any

import pytest
from faults import Faulty, around, once
from samples import SHARD, World, a_spec, a_world, an_evaluation

from webnn.clients import Evaluate, Stop, Task, Train, Wait
from webnn.core.records import Status
from webnn.errors import Missing, Unauthorized
from webnn.tokens import Member

SHARDS = [SHARD | {"sha256": digit * 64} for digit in "abc"]


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start(validation={"every_versions": 2, "patience_seconds": 60}, limits={"pending": 3})
    return found


def joined(world: World) -> Member:
    return world.services.clients.join(world.name)


def ask(world: World, member: Member) -> Task:
    return world.services.clients.next_task(member)


def answer(world: World, task: Task) -> None:
    """Reports an evaluation, by the catalog's leave."""
    assert isinstance(task, Evaluate)
    world.catalog.record_evaluation(an_evaluation(world.name, task.lease.version))


def advance(world: World, count: int) -> None:
    for _ in range(count):
        world.contribute([0, 0, 0])
    world.drain()


class TestEvaluations:
    def test_the_first_version_is_evaluated_at_once_by_one_client(self, world: World) -> None:
        first, second = ask(world, joined(world)), ask(world, joined(world))
        assert isinstance(first, Evaluate)
        assert first.lease.version == 0
        assert first.lease.expires_at == world.clock.now + 60_000
        assert isinstance(second, Train)

    def test_the_next_is_due_some_versions_later(self, world: World) -> None:
        answer(world, ask(world, joined(world)))
        advance(world, 1)
        assert isinstance(ask(world, joined(world)), Train)
        advance(world, 1)
        due = ask(world, joined(world))
        assert isinstance(due, Evaluate)
        assert due.lease.version == 2
        assert isinstance(ask(world, joined(world)), Train)

    def test_while_one_is_at_it_no_other_is_asked_however_far_the_head_moves(self, world: World) -> None:
        ask(world, joined(world))
        advance(world, 10)
        assert isinstance(ask(world, joined(world)), Train)

    def test_one_that_was_not_answered_in_time_is_asked_of_another_for_the_head_of_then(self, world: World) -> None:
        ask(world, joined(world))
        advance(world, 5)
        world.clock.now += 59_999
        assert isinstance(ask(world, joined(world)), Train)
        world.clock.now += 1
        again = ask(world, joined(world))
        assert isinstance(again, Evaluate)
        assert again.lease.version == 5

    def test_one_that_was_answered_is_not_asked_again_when_its_time_is_over(self, world: World) -> None:
        answer(world, ask(world, joined(world)))
        world.clock.now += 3_600_000
        assert isinstance(ask(world, joined(world)), Train)

    def test_who_asks_again_before_answering_is_given_the_same_with_the_time_that_is_left(self, world: World) -> None:
        member = joined(world)
        first = ask(world, member)
        advance(world, 1)
        world.clock.now += 15_000
        again = ask(world, member)
        assert isinstance(first, Evaluate)
        assert isinstance(again, Evaluate)
        assert (again.lease, again.head) == (first.lease, first.head)
        assert (first.seconds, again.seconds) == (60, 45)

    def test_who_has_answered_is_not_asked_for_the_same_again(self, world: World) -> None:
        member = joined(world)
        answer(world, ask(world, member))
        assert isinstance(ask(world, member), Train)

    @pytest.mark.parametrize("answered", [True, False])
    def test_what_a_rollback_brought_back_is_due_at_once(self, world: World, answered: bool) -> None:
        """Whoever is still at an older generation's is not waited for."""
        member = joined(world)
        task = ask(world, member)
        if answered:
            answer(world, task)
        advance(world, 1)
        world.services.restorer.rollback(world.name, 0)
        due = ask(world, member)
        assert isinstance(due, Evaluate)
        assert (due.lease.version, due.lease.generation) == (2, 1)

    def test_of_two_that_ask_at_the_same_moment_one_trains(self, world: World) -> None:
        first, second = joined(world), joined(world)
        told: list[Task] = []
        racing = Faulty(world.catalog, before=once("claim_evaluation", lambda: told.append(ask(world, first))))
        told.append(ask(around(world, catalog=racing), second))
        assert [type(task) for task in told] == [Evaluate, Train]


class TestEvaluationsByTime:
    @pytest.fixture
    def world(self) -> World:
        """The first evaluation is answered."""
        found = a_world()
        found.start(validation={"every_seconds": 30, "patience_seconds": 60})
        answer(found, ask(found, joined(found)))
        return found

    def test_the_next_is_due_some_seconds_after_the_last_was_asked_for(self, world: World) -> None:
        advance(world, 100)
        world.clock.now += 29_999
        assert isinstance(ask(world, joined(world)), Train)
        world.clock.now += 1
        due = ask(world, joined(world))
        assert isinstance(due, Evaluate)
        assert due.lease.version == 100

    def test_none_is_due_of_a_head_that_did_not_move(self, world: World) -> None:
        world.clock.now += 3_600_000
        assert isinstance(ask(world, joined(world)), Train)

    def test_one_that_is_being_answered_is_waited_for(self, world: World) -> None:
        advance(world, 1)
        world.clock.now += 30_000
        assert isinstance(ask(world, joined(world)), Evaluate)
        advance(world, 1)
        world.clock.now += 59_999
        assert isinstance(ask(world, joined(world)), Train)
        world.clock.now += 1
        assert isinstance(ask(world, joined(world)), Evaluate)


class TestTraining:
    @pytest.fixture
    def world(self) -> World:
        """Three shards of 8 examples, 2 tasks each; the first evaluation is out of the way."""
        found = a_world()
        found.start(data=a_spec()["data"] | {"train": SHARDS}, training={"local_steps": 2, "batch_size": 2})
        ask(found, joined(found))
        return found

    def test_a_client_goes_through_one_shard_before_the_next_and_then_round_again(self, world: World) -> None:
        member = joined(world)
        tasks = [ask(world, member) for _ in range(12)]
        digits = [task.shard.sha256[0] for task in tasks if isinstance(task, Train)]
        assert len(digits) == 12
        # `touch` counts the request itself, so a client's first task is its second half of a visit.
        assert [digit for i, digit in enumerate(digits) if i == 0 or digit != digits[i - 1]] == visits(digits[0])
        assert {digits.count(digit) for digit in "abc"} <= {3, 4, 5}

    def test_tasks_on_one_shard_go_on_where_the_last_ended_in_the_same_shuffle(self, world: World) -> None:
        member = joined(world)
        tasks: list[Any] = [ask(world, member) for _ in range(9)]
        by_visit: dict[tuple[str, int], list[int]] = {}
        for task in tasks:
            by_visit.setdefault((task.shard.sha256, task.seed), []).append(task.offset)
        assert all(offsets in ([0, 4], [4], [0]) for offsets in by_visit.values())
        assert [0, 4] in by_visit.values()

    def test_every_visit_and_every_client_shuffles_anew(self, world: World) -> None:
        seeds = [ask(world, member).seed for member in (joined(world), joined(world)) for _ in range(9)]
        assert len(set(seeds)) >= 9

    def test_many_clients_together_begin_at_every_shard(self, world: World) -> None:
        begun = {ask(world, joined(world)).shard.sha256 for _ in range(30)}
        assert begun == {shard["sha256"] for shard in SHARDS}

    def test_a_shard_smaller_than_a_task_is_gone_round_in_one(self) -> None:
        world = a_world()
        world.start(training={"local_steps": 100, "batch_size": 4})
        ask(world, joined(world))
        member = joined(world)
        tasks: list[Any] = [ask(world, member) for _ in range(3)]
        assert [task.offset for task in tasks] == [0, 0, 0]
        assert len({task.seed for task in tasks}) == 3

    def test_data_of_ones_own_is_gone_round_in_one_order_and_has_no_shard(self) -> None:
        own = a_world()
        own.start(data=a_spec()["data"] | {"own": "must", "train": []})
        ask(own, joined(own))  # the evaluation
        member, other = joined(own), joined(own)
        tasks = [ask(own, member) for _ in range(4)]
        assert [(task.shard, task.offset) for task in tasks] == [(None, 8), (None, 16), (None, 24), (None, 32)]
        assert len({task.seed for task in tasks}) == 1
        assert ask(own, other).seed != tasks[0].seed

    def test_who_may_have_data_of_its_own_is_given_a_shard_all_the_same(self) -> None:
        world = a_world()
        world.start(data=a_spec()["data"] | {"own": "may"})
        ask(world, joined(world))
        assert ask(world, joined(world)).shard.sha256 == SHARD["sha256"]


def visits(first: str) -> list[str]:
    """The shards from this one on, round and round."""
    begin = "abc".index(first)
    return ["abc"[(begin + visit) % 3] for visit in range(7)]


class TestBacklog:
    def test_with_too_many_updates_waiting_a_client_is_asked_to_wait(self, world: World) -> None:
        for _ in range(4):
            world.announce([0, 0, 0])
        ask(world, joined(world))  # the evaluation
        waits = [ask(world, joined(world)) for _ in range(20)]
        assert {wait.reason for wait in waits} == {"updates are waiting to be merged"}
        seconds = [wait.seconds for wait in waits]
        assert min(seconds) >= 2.5
        assert max(seconds) <= 7.5
        assert len(set(seconds)) > 10  # who are sent away together do not come back together

    def test_as_many_as_the_limit_are_not_too_many(self, world: World) -> None:
        for _ in range(3):
            world.announce([0, 0, 0])
        ask(world, joined(world))
        assert isinstance(ask(world, joined(world)), Train)

    def test_however_many_ask_a_function_counts_once_in_a_while_and_to_the_limit(self, world: World) -> None:
        for _ in range(9):
            world.announce([0, 0, 0])
        counts = Counting(world.catalog)
        watched = around(world, catalog=counts)
        for _ in range(50):
            ask(watched, joined(world))
        world.clock.now += 5_000
        ask(watched, joined(world))
        assert counts.limits == [4, 4]

    def test_who_is_sent_away_costs_the_run_no_row(self, world: World) -> None:
        """Or those who wait would take what merging needs."""
        members = [joined(world) for _ in range(20)]
        for _ in range(4):
            world.announce([0, 0, 0])
        ask(world, members[0])
        ask(world, members[1])
        calls: list[str] = []
        watched = around(world, catalog=Faulty(world.catalog, before=calls.append))
        ask(watched, members[2])  # counts
        calls.clear()
        assert all(isinstance(ask(watched, member), Wait) for member in members)
        assert calls == []

    def test_the_more_are_sent_away_the_longer_each_waits(self, world: World) -> None:
        members = [joined(world) for _ in range(100)]
        for _ in range(4):
            world.announce([0, 0, 0])
        ask(world, members[0])
        longest = []
        for _ in range(8):
            waits = [ask(world, member) for member in members[1:]]
            longest.append(max(wait.seconds for wait in waits))
            world.clock.now += 5_000
        assert longest[0] <= 7.5
        assert longest == sorted(longest)
        assert longest[-1] == pytest.approx(180.0, abs=5)  # of 100 that ask on and on, however long they were told to

    def test_one_that_asks_again_and_again_makes_nobody_wait_longer(self, world: World) -> None:
        eager, patient = joined(world), joined(world)
        for _ in range(4):
            world.announce([0, 0, 0])
        ask(world, eager)
        first = ask(world, patient)
        for _ in range(3):
            for _ in range(1000):
                ask(world, eager)
            world.clock.now += 5_000
        assert ask(world, patient) == first

    def test_when_the_backlog_is_merged_they_train_again(self, world: World) -> None:
        for _ in range(4):
            world.contribute([0, 0, 0])
        ask(world, joined(world))
        assert isinstance(ask(world, joined(world)), Wait)
        world.drain()
        world.clock.now += 5_000
        assert not isinstance(ask(world, joined(world)), Wait)


class Counting(Faulty):
    """A catalog that notes how far pending updates are counted."""

    def __init__(self, inner: Any) -> None:
        super().__init__(inner)
        self.limits: list[int] = []

    def pending_count(self, run: str, limit: int) -> int:
        self.limits.append(limit)
        return self._inner.pending_count(run, limit)


class TestStatus:
    def test_a_paused_run_asks_to_wait(self, world: World) -> None:
        world.catalog.set_status(world.head, Status.PAUSED)
        assert ask(world, joined(world)) == Wait(10.0, "the run is paused")

    def test_a_finished_run_asks_to_leave(self, world: World) -> None:
        world.catalog.set_status(world.head, Status.FINISHED)
        assert ask(world, joined(world)) == Stop("the run is finished")


class TestWhoIsUnknown:
    def test_cannot_join_what_is_not_there(self, world: World) -> None:
        with pytest.raises(Missing):
            world.services.clients.join("nowhere")

    def test_must_join_before_asking(self, world: World) -> None:
        with pytest.raises(Unauthorized):
            ask(world, Member(world.name, "0" * 32))

    def test_gets_no_work_by_a_membership_of_another_run(self, world: World) -> None:
        other = a_world(world.catalog, world.blobs, world.clock, world.ids, name="other")
        other.start()
        with pytest.raises(Unauthorized):
            ask(world, Member(world.name, joined(other).client_id))
