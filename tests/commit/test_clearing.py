"""Clearing: what no row can ever name goes, what a run was told not to keep goes, and nothing else."""

from collections.abc import Callable

import pytest
from faults import Crash, Faulty, around, crash, once
from samples import World, a_world, an_id, never

from webnn.clearing import DAY_MILLISECONDS, WRITER_MILLISECONDS, Cleared, Clearing
from webnn.core.ids import make_id
from webnn.core.records import Without
from webnn.errors import Corrupt, Invalid
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


class TestOrphans:
    def test_those_of_the_dead_and_the_beaten_are_deleted(self, world: World) -> None:
        for _ in range(3):
            world.contribute([1, 0, 0], base_version=world.head.version)
            die_before_the_commit(world)
            world.drain()
        an_hour_later(world)
        assert clear(world) == Cleared(orphans=3, bytes=36)
        assert checkpoints(world) == named(world)

    def test_one_that_a_commit_on_its_way_may_yet_name_stays_however_old(self, world: World) -> None:
        world.contribute([1, 0, 0])
        die_before_the_commit(world)
        world.clock.now += 1000 * DAY_MILLISECONDS
        orphan = checkpoints(world) - named(world)
        assert cleared_alone(world) == Cleared()
        assert orphan < checkpoints(world)

    def test_a_young_one_stays_till_nobody_can_be_writing_beside_it(self, world: World) -> None:
        world.contribute([1, 0, 0])
        die_before_the_commit(world)
        world.drain()
        assert clear(world) == Cleared()
        an_hour_later(world)
        assert clear(world).orphans == 1

    def test_what_a_beaten_merger_writes_late_is_found_too(self, world: World) -> None:
        world.contribute([1, 0, 0])
        world.drain()
        clear(world)
        world.blobs.create(keys.checkpoint("line", 1, an_id(5)), b"late")
        an_hour_later(world)
        assert clear(world).orphans == 1

    def test_those_of_versions_that_no_commit_ended_at_are_deleted(self, world: World) -> None:
        """A merger that died had 1 update, its successor 3."""
        world.contribute([1, 0, 0])
        die_before_the_commit(world)
        world.contribute([1, 0, 0])
        world.contribute([1, 0, 0])
        world.drain()
        an_hour_later(world)
        assert clear(world).orphans == 1
        assert checkpoints(world) == named(world)

    def test_nothing_that_a_rollback_or_unmerge_names_goes(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        world.drain()
        world.services.restorer.rollback("line", 0)
        world.services.restorer.rollback("line", 1)
        world.services.restorer.unmerge("line", Without(updates=(update.update_id,)))
        an_hour_later(world)
        assert clear(world) == Cleared()
        assert [found.entry.version for found in world.services.replay.replay("line")] == [0, 1, 2, 3, 4]

    def test_a_quiet_run_is_not_listed_again(self, world: World) -> None:
        an_hour_later(world)
        clear(world)
        calls: list[str] = []
        watched = around(world, blobs=Faulty(world.blobs, before=calls.append))
        watched.services.sweeper.sweep(never)
        assert "listed" not in calls

    def test_out_of_time_it_goes_on_later_where_it_was(self, world: World) -> None:
        for _ in range(4):
            world.contribute([1, 0, 0], base_version=world.head.version)
            die_before_the_commit(world)
            world.drain()
        an_hour_later(world)
        looks = iter([False] * 5)
        first = cleared_alone(world, lambda: next(looks, True))
        assert 0 < first.orphans < 4
        assert first.orphans + clear(world).orphans == 4


def cleared_alone(world: World, out_of_time: Callable[[], bool] = never) -> Cleared:
    """Without merging first, as the sweep does."""
    return Clearing(world.catalog, world.blobs, Specs(world.catalog, world.blobs), clock=world.clock).clear(
        "line", out_of_time
    )


class TestKeeping:
    """A run that keeps 2 days."""

    @pytest.fixture
    def world(self) -> World:
        found = a_world()
        found.ids = lambda ids=found.ids: make_id(found.clock.now, bytes.fromhex(ids()[-20:]))
        found.start(limits={"keep_days": 2})
        return found

    def merged(self, world: World, days: int) -> None:
        for _ in range(days):
            world.contribute([1, 0, 0], base_version=world.head.version)
            world.drain()
            world.clock.now += DAY_MILLISECONDS

    def bodies(self, world: World) -> int:
        return len(world.blobs.listed("updates/line/", "", 1000))

    def test_by_default_all_is_kept(self) -> None:
        world = a_world()
        world.start()
        self.merged(world, 9)
        assert clear(world) == Cleared()

    def test_what_is_older_goes_but_the_genesis_and_the_head(self, world: World) -> None:
        self.merged(world, 9)
        assert clear(world).expired == 7 + 6
        assert self.bodies(world) == 2
        kept = {keys.checkpoint_version(key) for key in checkpoints(world)}
        assert kept == {0, 7, 8, 9}

    def test_the_head_of_a_run_that_rests_stays_however_old(self, world: World) -> None:
        self.merged(world, 3)
        world.clock.now += 1000 * DAY_MILLISECONDS
        clear(world)
        assert {keys.checkpoint_version(key) for key in checkpoints(world)} == {0, 3}
        assert world.weights == [4, 2, 3]

    def test_a_body_that_waits_is_kept_however_old(self, world: World) -> None:
        update = world.contribute([1, 0, 0])
        world.clock.now += 9 * DAY_MILLISECONDS
        assert cleared_alone(world).expired == 0
        world.drain()
        assert world.now(update).version == 1

    def test_it_is_looked_for_once_a_day(self, world: World) -> None:
        self.merged(world, 4)
        assert clear(world).expired > 0
        self.merged(world, 1)
        world.clock.now -= 1
        assert clear(world).expired == 0
        world.clock.now += 1
        assert clear(world).expired > 0

    def test_a_replay_says_what_is_gone_and_can_begin_behind_it(self, world: World) -> None:
        self.merged(world, 5)
        clear(world)
        with pytest.raises(Corrupt, match="is gone"):
            list(world.services.replay.replay("line"))
        assert [found.entry.version for found in world.services.replay.replay("line", start=3)] == [3, 4, 5]

    def test_a_replay_that_begins_at_no_commit_is_invalid(self, world: World) -> None:
        self.merged(world, 1)
        for start in (2, 7):
            with pytest.raises(Invalid, match=f"no commit made version {start}"):
                list(world.services.replay.replay("line", start=start))

    def test_what_is_gone_cannot_be_brought_back_and_nothing_moves(self, world: World) -> None:
        self.merged(world, 5)
        clear(world)
        before = world.head
        with pytest.raises(Corrupt, match="is gone"):
            world.services.restorer.rollback("line", 1)
        assert world.head == before
