"""Deleting a run: all of it goes, nothing of others, from whatever point it was cut off at."""

import itertools
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from faults import Crash, Faulty, around, lost, once
from leftovers import assert_empty, listed
from samples import SHARD, World, a_spec, a_world, an_evaluation, never
from stages import Stores

from webnn.core.records import Exchange, Status, UpdateState
from webnn.core.wire import sha256
from webnn.errors import Conflict, Corrupt, Missing, Unavailable
from webnn.removal import PATIENCE, Removed, Remover
from webnn.specs import Specs
from webnn.store import keys
from webnn.updates import Announcement
from webnn.wiring import new_id

DATA = b"\0" * 96


@pytest.fixture
def world(stores: Stores, run_name: str) -> World:
    """A run with something of everything, on each engine. Ids are real ones: the table has others' too."""
    found = a_world(*stores, ids=new_id, name=run_name)
    lived(found)
    return found


def lived(world: World) -> None:
    """At version 2, with an update of each state, a client at work, an evaluation, and an orphan."""
    world.services.runs.add_shard(DATA)
    world.start([1, 2, 3])
    for delta in ([1, 0, 0], [0, 1, 0], [np.nan, 0, 0]):
        world.contribute(delta, base_version=world.head.version)
        world.drain()
    world.contribute([0, 0, 1], base_version=1)
    world.announce([0, 0, 2], base_version=1)
    world.services.clients.next_task(world.services.clients.join(world.name))
    world.catalog.record_evaluation(an_evaluation(world.name, 1))
    world.catalog.swap(Exchange(world.name, "1" * 32, "2" * 32, 5), None, None)
    world.blobs.create(keys.checkpoint(world.name, 3, "f" * 32), b"beaten")


def delete(world: World, **options: bool) -> Removed:
    *_, last = world.services.remover.delete(world.name, **options)
    return last


def own_blobs(world: World) -> list[str]:
    prefixes = keys.checkpoints(world.name), keys.updates(world.name), keys.specs(world.name)
    return [blob.key for prefix in prefixes for blob in world.blobs.listed(prefix, "", 1000)]


def assert_gone(world: World) -> None:
    assert own_blobs(world) == []
    assert_empty(world.catalog, world.name)
    assert world.name not in listed(world.catalog)
    with pytest.raises(Missing):
        world.services.runs.describe(world.name)


def test_all_that_a_run_has_goes_and_is_counted(world: World) -> None:
    blobs = own_blobs(world)
    assert len(blobs) == 3 + 1 + 4 + 1  # checkpoints, an orphan, bodies, the spec
    done = delete(world)
    assert_gone(world)
    assert (done.blobs, done.shards) == (len(blobs), 0)
    assert done.rows == 3 + 5 + 1 + 1 + 1 + 1 + 3  # ledger, updates, client, lease, evaluation, turn, exchange


def test_others_keep_all_that_they_have(world: World) -> None:
    other = a_world(world.catalog, world.blobs, world.clock, new_id, name=f"{world.name}-0")
    lived(other)
    blobs, head = own_blobs(other), other.head
    delete(world)
    assert (own_blobs(other), other.head) == (blobs, head)
    assert other.name in listed(world.catalog)
    assert world.blobs.get(keys.shard(sha256(DATA))) == DATA
    other.drain()
    assert [found.entry.version for found in other.services.replay.replay(other.name)] == [0, 1, 2, 3]


def test_the_name_is_free_and_nothing_made_for_the_old_run_gets_into_the_new(world: World) -> None:
    member = world.services.clients.join(world.name)
    delete(world)
    world.start([5, 5, 5])
    assert (world.head.version, world.head.generation) == (0, 1)
    late = Announcement(0, 0, 2, 8, 12, "d" * 64, "float32")
    with pytest.raises(Conflict, match="generation"):
        world.services.updates.announce(member, late)
    leftover = world.contribute([9, 9, 9])  # of a function that had looked before the deletion
    mine = world.contribute([0, 0, 1], generation=1)
    world.drain()
    assert world.now(leftover).state is UpdateState.DISCARDED
    assert (world.now(mine).version, world.weights) == (1, [5, 5, 6])
    assert [found.entry.version for found in world.services.replay.replay(world.name)] == [0, 1]
    delete(world)
    assert_gone(world)
    assert world.start().generation == 2


def test_what_was_never_there_is_missing(world: World) -> None:
    gone = a_world(world.catalog, world.blobs, world.clock, new_id, name=f"{world.name}-never")
    with pytest.raises(Missing):
        delete(gone)
    assert world.catalog.next_generation(gone.name) == 0


def test_deleting_again_takes_away_what_was_under_way(world: World) -> None:
    delete(world)
    late = world.contribute([1, 0, 0])
    assert own_blobs(world) == [keys.update(world.name, late.update_id)]
    assert delete(world) == Removed(rows=1, blobs=1, bytes=12)
    assert_gone(world)
    assert world.catalog.next_generation(world.name) == 1


def test_a_ring_for_a_run_that_is_gone_is_answered(world: World) -> None:
    delete(world)
    body = f'{{"run": "{world.name}"}}'
    answered = world.services.answerer.answer([body], never)
    assert (answered.gone, answered.failures) == ([world.name], [])


@pytest.fixture
def in_memory() -> World:
    found = a_world(ids=new_id)
    lived(found)
    return found


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("harm", [Crash, Unavailable])
def test_cut_off_anywhere_it_chokes_nobody_and_is_ended_by_another(side: str, harm: type[BaseException]) -> None:
    for step in itertools.count():
        world = a_world(ids=new_id)
        lived(world)
        other = a_world(world.catalog, world.blobs, world.clock, new_id, name="other")
        other.start()
        calls, cut = itertools.count(), list[str]()

        def hook(name: str, calls: Any = calls, cut: list[str] = cut, step: int = step) -> None:
            if next(calls) == step:
                cut.append(name)
                raise harm("cut off")

        harmed = around(
            world,
            catalog=Faulty(world.catalog, **{side: hook}),
            blobs=Faulty(world.blobs, **{side: hook}),
        )
        with suppress(harm):
            delete(harmed, with_data=True)
        if not cut:
            assert step > 15
            return
        assert "other" in {found.run.run for found in world.services.runs.all()}
        assert [swept for swept in world.services.sweeper.sweep(never) if swept.error] == []
        delete(world, with_data=True)
        assert_gone(world)
        assert world.blobs.get(keys.shard(sha256(DATA))) == DATA
        world.start()


@pytest.mark.parametrize("method", ["delist", "delete_rows", "delete_run"])
def test_whoever_drains_meanwhile_gets_nothing_done_and_breaks_nothing(in_memory: World, method: str) -> None:
    world = in_memory
    delete(around(world, catalog=Faulty(world.catalog, before=once(method, world.drain))))
    assert world.catalog.delete_rows("line", 10) == (1 if method == "delete_run" else 0)  # the turn that it took
    assert_gone(world)


@pytest.mark.parametrize(("store", "method", "left"), [("catalog", "commit", 0), ("blobs", "create", 1)])
def test_a_commit_that_was_decided_on_before_does_not_land(
    in_memory: World, store: str, method: str, left: int
) -> None:
    """Whatever it writes under the name is deleted with it, or is taken away by deleting again."""
    world = in_memory
    hook = once(method, lambda: delete(world))
    merger = around(world, **{store: Faulty(getattr(world, store), before=hook)})
    with pytest.raises((Corrupt, Missing)):
        merger.drain()
    assert len(own_blobs(world)) == left
    with pytest.raises(Missing):
        world.catalog.head("line")
    delete(world)
    assert_gone(world)


@pytest.mark.parametrize("method", ["delete_rows", "delete_run"])
def test_a_run_that_is_started_again_meanwhile_is_not_deleted_further(in_memory: World, method: str) -> None:
    world = in_memory
    start = once(method, lambda: world.catalog.set_status(world.head, Status.RUNNING))
    with pytest.raises(Conflict):
        delete(around(world, catalog=Faulty(world.catalog, before=start)))
    assert world.head.status is Status.RUNNING
    delete(world)
    assert_gone(world)


def test_a_new_run_of_the_name_is_left_alone_by_who_is_still_deleting_the_old(in_memory: World) -> None:
    world = in_memory

    def faster() -> None:
        delete(world)
        world.start([7, 7, 7])

    with pytest.raises(Conflict, match="meanwhile"):
        delete(around(world, catalog=Faulty(world.catalog, after=once("delist", faster))))
    assert world.weights == [7, 7, 7]
    assert world.services.runs.describe("line").head.generation == 1


def test_data_stays_unless_it_is_told_to_go_and_nobody_else_has_it(in_memory: World) -> None:
    world, shard = in_memory, keys.shard(sha256(DATA))
    world.services.copier.copy("line", "other")
    delete(world, with_data=True)
    assert world.blobs.get(shard) == DATA
    other = a_world(world.catalog, world.blobs, world.clock, new_id, name="other")
    assert delete(other).shards == 0
    assert world.blobs.get(shard) == DATA
    world.start()
    assert delete(world, with_data=True).shards == 1
    with pytest.raises(Missing):
        world.blobs.get(shard)


def test_no_data_goes_if_it_cannot_be_told_who_needs_it(in_memory: World) -> None:
    world = in_memory
    spec = a_spec(data=a_spec()["data"] | {"train": [SHARD, SHARD]})
    lost_run = world.services.runs.start("other", "", "", repr(spec).replace("'", '"').encode(), np.float32([1, 2, 3]))
    del world.blobs._blobs[lost_run.spec_key]
    before, head = dict(world.blobs._blobs), world.head
    with pytest.raises(Corrupt):
        delete(world, with_data=True)
    assert (world.blobs._blobs, world.head) == (before, head)
    delete(world)
    assert_gone(world)


def test_a_run_whose_head_is_gone_is_deleted_all_the_same(in_memory: World) -> None:
    world = in_memory
    del world.catalog._heads["line"]
    delete(world)
    assert_gone(world)
    assert world.start().generation == 1


def test_rows_that_a_busy_table_leaves_are_tried_again_after_a_pause(in_memory: World) -> None:
    world, waits, refusals = in_memory, list[int](), [lost] * 3

    def busy(method: str) -> None:
        if method == "delete_rows" and refusals:
            refusals.pop()()

    remover = Remover(
        Faulty(world.catalog, before=busy), world.blobs, Specs(world.catalog, world.blobs), pause=waits.append
    )
    list(remover.delete("line"))
    assert waits == [1, 2, 3]
    assert_gone(world)


def test_rows_that_cannot_be_deleted_are_given_up(in_memory: World) -> None:
    world, tries = in_memory, list[str]()

    def silent(method: str) -> None:
        if method == "delete_rows":
            tries.append(method)
            lost()

    with pytest.raises(Unavailable):
        delete(around(world, catalog=Faulty(world.catalog, before=silent)))
    assert len(tries) == PATIENCE


def test_the_silence_of_a_store_leaves_it_to_be_done_again(in_memory: World) -> None:
    world = in_memory
    silent = around(world, blobs=Faulty(world.blobs, before=once("delete", lost)))
    with pytest.raises(Unavailable):
        delete(silent)
    assert "line" not in listed(world.catalog)
    with pytest.raises(Conflict):
        world.start()
    delete(world)
    assert_gone(world)
