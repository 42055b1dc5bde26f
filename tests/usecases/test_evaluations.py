"""What becomes of a report."""

import pytest
from faults import Faulty, around, lost, once
from msgspec.structs import replace
from samples import World, a_world

from webnn.clients import Evaluate
from webnn.core.records import Status
from webnn.core.terms import EVERY_VERSIONS
from webnn.errors import Conflict, Invalid, Missing, Unavailable
from webnn.evaluations import Report
from webnn.tokens import Member


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start(end={"accuracy": 0.9})
    return found


@pytest.fixture
def member(world: World) -> Member:
    return world.services.clients.join(world.name)


@pytest.fixture
def report(world: World, member: Member) -> Report:
    """What the client was asked for, as an honest answer."""
    task = world.services.clients.next_task(member)
    assert isinstance(task, Evaluate)
    examples = task.spec.data.validation_examples
    return Report(task.lease.evaluation_id, task.lease.version, loss=0.5, accuracy=0.8, examples=examples)


def test_the_same_answer_again_gives_what_was_recorded_first(world: World, member: Member, report: Report) -> None:
    first = world.services.evaluations.report(member, report)
    world.clock.now += 5_000
    assert world.services.evaluations.report(member, report) == first
    assert world.catalog.latest_evaluation(world.name) == first


@pytest.mark.parametrize("changed", [{"accuracy": 0.95}, {"loss": 0.4}])
def test_another_answer_is_refused(world: World, member: Member, report: Report, changed: dict[str, float]) -> None:
    first = world.services.evaluations.report(member, report)
    with pytest.raises(Conflict):
        world.services.evaluations.report(member, replace(report, **changed))
    assert world.catalog.latest_evaluation(world.name) == first
    assert world.head.status is Status.RUNNING


def test_a_finished_run_keeps_the_figure_that_finished_it(world: World, member: Member, report: Report) -> None:
    first = world.services.evaluations.report(member, replace(report, accuracy=0.95))
    assert world.head.status is Status.FINISHED
    with pytest.raises(Conflict):
        world.services.evaluations.report(member, replace(report, accuracy=0.2))
    assert world.catalog.latest_evaluation(world.name) == first


def test_an_answer_repeated_after_a_crash_still_finishes_the_run(world: World, member: Member, report: Report) -> None:
    good = replace(report, accuracy=0.95)
    crashing = Faulty(world.catalog, before=once("set_status", lost))
    with pytest.raises(Unavailable):
        around(world, catalog=crashing).services.evaluations.report(member, good)
    assert world.head.status is Status.RUNNING
    world.services.evaluations.report(member, good)
    assert world.head.status is Status.FINISHED


def test_a_late_answer_counts_while_nobody_else_was_asked(world: World, member: Member, report: Report) -> None:
    world.clock.now += 10_000_000
    assert world.services.evaluations.report(member, report).accuracy == 0.8


def test_a_late_answer_is_refused_once_another_was_asked(world: World, member: Member, report: Report) -> None:
    world.clock.now += 10_000_000
    world.services.clients.next_task(world.services.clients.join(world.name))
    with pytest.raises(Missing):
        world.services.evaluations.report(member, report)


def test_an_answer_about_a_part_of_the_examples_is_refused(world: World, member: Member, report: Report) -> None:
    with pytest.raises(Invalid, match="the validation set has"):
        world.services.evaluations.report(member, replace(report, examples=1))


def test_what_was_reached_before_a_rollback_ends_nothing(world: World, member: Member, report: Report) -> None:
    world.services.restorer.rollback(world.name, 0)
    world.services.evaluations.report(member, replace(report, accuracy=0.95))
    world.services.evaluations.finish_if_reached(world.name)
    assert world.head.status is Status.RUNNING


def test_the_same_again_finishes_the_run_though_another_was_asked_meanwhile(
    world: World, member: Member, report: Report
) -> None:
    failing = around(world, catalog=Faulty(world.catalog, before=once("set_status", lost)))
    with pytest.raises(Unavailable):
        failing.services.evaluations.report(member, replace(report, accuracy=0.95))
    for _ in range(EVERY_VERSIONS):
        world.contribute([0, 0, 0])
    world.drain()
    assert isinstance(world.services.clients.next_task(world.services.clients.join(world.name)), Evaluate)

    world.services.evaluations.report(member, replace(report, accuracy=0.95))
    assert world.head.status is Status.FINISHED
