"""The sweep: what outages left behind is settled, what was never uploaded expires."""

import pytest
from faults import Faulty, Only, around, lost, once
from samples import World, a_world, an_evaluation, never

from webnn.commit import Drained
from webnn.core.records import Status, UpdateState
from webnn.decision import GRACE_MILLISECONDS
from webnn.doorbell import ring
from webnn.errors import Corrupt, Unavailable
from webnn.store.ports import MAX_COMMIT
from webnn.sweep import Swept

TICKET = 900_000


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start()
    return found


def sweep(world: World) -> list[Swept]:
    return world.services.sweeper.sweep(never)


def test_what_no_doorbell_told_of_is_merged(world: World) -> None:
    update = world.contribute([1, 0, 0])
    assert sweep(world) == [Swept("line", Drained(commits=1, merged=1))]
    assert world.now(update).version == 1


def test_every_run_is_swept() -> None:
    first = a_world()
    first.start()
    second = a_world(first.catalog, first.blobs, first.clock, first.ids, name="other")
    second.start()
    for world in (first, second):
        world.contribute([1, 0, 0])
    assert sorted(swept.run for swept in sweep(first)) == ["line", "other"]
    assert (first.head.version, second.head.version) == (1, 1)


def test_what_was_never_uploaded_expires_a_while_after_its_ticket(world: World) -> None:
    update = world.announce([1, 0, 0])
    world.clock.now += TICKET + GRACE_MILLISECONDS
    assert sweep(world)[0].drained.refused == 0
    world.clock.now += 1
    assert sweep(world)[0].drained.refused == 1
    assert world.now(update) == update.discarded("never uploaded")
    assert world.head.version == 0


def test_what_was_uploaded_is_merged_however_late_the_sweep_comes(world: World) -> None:
    update = world.contribute([1, 0, 0])
    world.clock.now += 10 * (TICKET + GRACE_MILLISECONDS)
    assert sweep(world) == [Swept("line", Drained(commits=1, merged=1))]
    assert world.now(update).version == 1


def test_what_was_uploaded_does_not_expire_because_the_merge_ran_out_of_time(world: World) -> None:
    for _ in range(MAX_COMMIT):
        world.contribute([0, 0, 0])
    last = world.contribute([1, 0, 0])
    world.clock.now += 10 * (TICKET + GRACE_MILLISECONDS)
    looks = iter([False, False, True])  # time for this run, and for one commit

    (swept,) = world.services.sweeper.sweep(lambda: next(looks, True))

    assert swept.drained == Drained(commits=1, merged=MAX_COMMIT, complete=False)
    assert world.rung == [ring("line")], "nobody else is woken for what is left"
    assert world.now(last).state is UpdateState.PENDING
    sweep(world)
    assert world.now(last).version == MAX_COMMIT + 1


def test_more_than_a_transaction_holds_expire_in_one_sweep(world: World) -> None:
    updates = [world.announce([1, 0, 0]) for _ in range(MAX_COMMIT + 5)]
    world.clock.now += TICKET + GRACE_MILLISECONDS + 1
    fresh = world.announce([1, 0, 0])
    assert sweep(world)[0].drained.refused == MAX_COMMIT + 5
    assert {world.now(update).state for update in updates} == {UpdateState.DISCARDED}
    assert world.now(fresh).state is UpdateState.PENDING


def test_what_another_settles_meanwhile_is_left_to_it(world: World) -> None:
    first, second = world.announce([1, 0, 0]), world.announce([1, 0, 0])
    world.clock.now += TICKET + GRACE_MILLISECONDS + 1
    rival = around(world, catalog=Only(world.catalog, first))
    racing = Faulty(world.catalog, before=once("commit", lambda: sweep(rival)))

    assert sweep(around(world, catalog=racing))[0].drained == Drained(commits=1, refused=1, conflicts=1)
    assert {world.now(update).state for update in (first, second)} == {UpdateState.DISCARDED}


def test_out_of_time_it_leaves_the_rest_to_the_next(world: World) -> None:
    world.contribute([1, 0, 0])
    assert world.services.sweeper.sweep(lambda: True) == []
    assert world.head.version == 0


@pytest.mark.parametrize("fault", ["corrupt", "unavailable"])
def test_a_run_that_cannot_be_swept_does_not_keep_the_others_waiting(world: World, fault: str) -> None:
    other = a_world(world.catalog, world.blobs, world.clock, world.ids, name="other")
    other.start()
    for each in (world, other):
        each.contribute([1, 0, 0])
    if fault == "corrupt":
        del world.blobs._blobs[world.head.checkpoint_key]
        sweeping, error = world, Corrupt
    else:
        sweeping, error = around(world, catalog=Faulty(world.catalog, before=once("head", lost))), Unavailable

    swept = sweep(sweeping)

    assert [type(one.error) for one in swept if one.error] == [error]
    assert [one.drained.merged for one in swept if not one.error] == [1]


def test_the_sweep_reaches_every_run_however_many_there_are(world: World) -> None:
    """GET /runs lists the 100 newest."""
    others = [a_world(world.catalog, world.blobs, world.clock, world.ids, name=f"run-{n}") for n in range(601)]
    for other in others:
        other.start()
    others[0].contribute([1, 0, 0])
    assert len(sweep(world)) == 602
    assert others[0].head.version == 1


def test_sweeps_that_run_out_of_time_begin_elsewhere_so_that_each_run_has_its_turn(world: World) -> None:
    for n in range(4):
        a_world(world.catalog, world.blobs, world.clock, world.ids, name=f"run-{n}").start()
    seen = set()
    for _ in range(60):
        world.clock.now += 300_000
        looks = iter([False, False, True])
        seen |= {one.run for one in world.services.sweeper.sweep(lambda looks=looks: next(looks, True))}
    assert seen == {"line", "run-0", "run-1", "run-2", "run-3"}


def test_a_run_that_reached_its_end_unnoticed_is_finished() -> None:
    """Its evaluation was recorded, and the function died before it could say so."""
    world = a_world()
    world.start(end={"accuracy": 0.9})
    world.catalog.record_evaluation(an_evaluation("line", 0, accuracy=0.95))
    sweep(world)
    assert world.head.status is Status.FINISHED
