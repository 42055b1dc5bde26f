"""Clearing: what no row can ever name goes, and nothing else."""

from collections.abc import Callable, Sequence

import pytest
from faults import Crash, Faulty, around, crash, once
from samples import World, a_world, an_id, never

from webnn.clearing import WRITER_MILLISECONDS, Cleared, Clearing
from webnn.core.records import Without
from webnn.errors import Unavailable
from webnn.keeping import DAY_MILLISECONDS
from webnn.specs import Specs
from webnn.store import keys


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start()
    return found


def clear(world: World) -> Cleared:
    (swept,) = world.services.sweeper.sweep(never)
    assert swept.error is None
    return swept.cleared


def checkpoints(world: World) -> set[str]:
    return {blob.key for blob in world.blobs.listed("checkpoints/line/", "", 1000)}


def named(world: World) -> set[str]:
    return {entry.checkpoint_key for entry in world.catalog.ledger("line", -1, 1000)}


def die_before_the_commit(world: World) -> None:
    with pytest.raises(Crash):
        around(world, catalog=Faulty(world.catalog, before=once("commit", crash))).drain()


def an_hour_later(world: World) -> None:
    world.clock.now += WRITER_MILLISECONDS + 1


def cleared_alone(world: World, out_of_time: Callable[[], bool] = never) -> Cleared:
    """Without merging first, as the sweep does."""
    return Clearing(world.catalog, world.blobs, Specs(world.catalog, world.blobs), clock=world.clock).clear(
        "line", out_of_time
    )


def test_those_of_the_dead_and_the_beaten_are_deleted(world: World) -> None:
    for _ in range(3):
        world.contribute([1, 0, 0], base_version=world.head.version)
        die_before_the_commit(world)
        world.drain()
    an_hour_later(world)
    assert clear(world) == Cleared(orphans=3, bytes=36)
    assert checkpoints(world) == named(world)


def test_one_that_a_commit_on_its_way_may_yet_name_stays_however_old(world: World) -> None:
    world.contribute([1, 0, 0])
    die_before_the_commit(world)
    world.clock.now += 1000 * DAY_MILLISECONDS
    orphan = checkpoints(world) - named(world)
    assert cleared_alone(world) == Cleared()
    assert orphan < checkpoints(world)


def test_a_young_one_stays_till_nobody_can_be_writing_beside_it(world: World) -> None:
    world.contribute([1, 0, 0])
    die_before_the_commit(world)
    world.drain()
    assert clear(world) == Cleared()
    an_hour_later(world)
    assert clear(world).orphans == 1


def test_what_a_beaten_merger_writes_late_is_found_too(world: World) -> None:
    world.contribute([1, 0, 0])
    world.drain()
    clear(world)
    world.blobs.create(keys.checkpoint("line", 1, an_id(5)), b"late")
    an_hour_later(world)
    assert clear(world).orphans == 1


def test_those_of_versions_that_no_commit_ended_at_are_deleted(world: World) -> None:
    """A merger that died had 1 update, its successor 3."""
    world.contribute([1, 0, 0])
    die_before_the_commit(world)
    world.contribute([1, 0, 0])
    world.contribute([1, 0, 0])
    world.drain()
    an_hour_later(world)
    assert clear(world).orphans == 1
    assert checkpoints(world) == named(world)


def test_nothing_that_a_rollback_or_unmerge_names_goes(world: World) -> None:
    update = world.contribute([1, 0, 0])
    world.drain()
    world.services.restorer.rollback("line", 0)
    world.services.restorer.rollback("line", 1)
    world.services.restorer.unmerge("line", Without(updates=(update.update_id,)))
    an_hour_later(world)
    assert clear(world) == Cleared()
    assert [found.entry.version for found in world.services.replay.replay("line")] == [0, 1, 2, 3, 4]


def test_a_quiet_run_is_not_listed_again(world: World) -> None:
    an_hour_later(world)
    clear(world)
    calls: list[str] = []
    watched = around(world, blobs=Faulty(world.blobs, before=calls.append))
    watched.services.sweeper.sweep(never)
    assert "listed" not in calls


def test_out_of_time_it_goes_on_later_where_it_was(world: World) -> None:
    for _ in range(4):
        world.contribute([1, 0, 0], base_version=world.head.version)
        die_before_the_commit(world)
        world.drain()
    an_hour_later(world)
    looks = iter([False] * 5)
    first = cleared_alone(world, lambda: next(looks, True))
    assert 0 < first.orphans < 4
    assert first.orphans + clear(world).orphans == 4


@pytest.mark.parametrize("odd", ["", "000000000001-backup.bin", ".DS_Store"])
def test_what_is_no_checkpoint_keeps_nothing_else_and_is_left(world: World, odd: str) -> None:
    """A folder made in S3's console; the copy made by a person who mended a checkpoint."""
    world.blobs.create(keys.checkpoints("line") + odd, b"")
    for _ in range(3):
        world.contribute([1, 0, 0], base_version=world.head.version)
        die_before_the_commit(world)
        world.drain()
    an_hour_later(world)
    assert clear(world).orphans == 3
    assert checkpoints(world) == named(world) | {keys.checkpoints("line") + odd}


def test_one_that_cannot_be_deleted_keeps_nothing_else_and_is_told_of(world: World) -> None:
    class Locked(Faulty):
        def delete(self, doomed: Sequence[str]) -> None:
            left = [key for key in doomed if keys.checkpoint_version(key) == 2]
            self._inner.delete([key for key in doomed if key not in left])
            if left:
                raise Unavailable(f"S3 did not delete {left[0]}")

    for _ in range(4):
        world.contribute([1, 0, 0], base_version=world.head.version)
        die_before_the_commit(world)
        world.drain()
    an_hour_later(world)
    (swept,) = around(world, blobs=Locked(world.blobs)).services.sweeper.sweep(never)
    assert isinstance(swept.error, Unavailable)
    (left,) = checkpoints(world) - named(world)
    assert keys.checkpoint_version(left) == 2
    assert clear(world).orphans == 1


def test_pages_and_runs_of_similar_names_are_kept_apart(world: World) -> None:
    others = [a_world(world.catalog, world.blobs, world.clock, world.ids, name=name) for name in ("lin", "line-2")]
    for other in others:
        other.start()
        other.contribute([1, 0, 0])
        die_before_the_commit(other)
    world.contribute([1, 0, 0])
    world.drain()
    for number in range(2500):
        world.blobs.create(keys.checkpoint("line", 1, an_id(10**6 + number)), b"x")
    an_hour_later(world)
    assert cleared_alone(world).orphans == 2500
    assert checkpoints(world) == named(world)
    for name in ("lin", "line-2"):
        assert len(world.blobs.listed(keys.checkpoints(name), "", 10)) == 2


def test_a_long_unmerge_writes_nothing_behind_the_mark(world: World) -> None:
    """Its folding takes hours, in which the run goes on and is swept."""
    updates = [world.contribute([1, 0, 0]) for _ in range(2)]
    world.drain()

    def hours() -> None:
        world.contribute([1, 0, 0], base_version=world.head.version)
        world.drain()
        an_hour_later(world)
        clear(world)

    slowly = around(world, blobs=Faulty(world.blobs, before=once("get", hours)))
    slowly.services.restorer.unmerge("line", Without(updates=(updates[0].update_id,)))
    assert checkpoints(world) == named(world)
    assert [found.entry.version for found in world.services.replay.replay("line")] == [0, 2, 3, 4]


def test_what_lies_beside_an_orphan_goes_with_it_and_what_lies_beside_a_checkpoint_stays() -> None:
    world = a_world()
    world.start(merge={"rule": {"name": "fedbuff", "size": 2}})
    for _ in range(2):
        world.contribute([1, 0, 0], base_version=world.head.version)
        die_before_the_commit(world)
        world.drain()
    an_hour_later(world)
    assert clear(world).orphans == 4
    states = {keys.state(entry.checkpoint_key) for entry in world.catalog.ledger("line", 0, 9)}
    assert checkpoints(world) == named(world) | states
