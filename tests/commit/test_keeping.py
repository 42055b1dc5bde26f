"""Keeping: what a run was told not to keep goes, and all that can be replayed behind the floor stays."""

from collections.abc import Callable
from typing import Any

import pytest
from faults import Faulty, Only, around, lost, once
from samples import World, a_world, never

from webnn.clearing import Cleared, Clearing
from webnn.core.ids import make_id
from webnn.core.records import MergeLease, Update, Without
from webnn.errors import Corrupt, Invalid, Unavailable
from webnn.keeping import DAY_MILLISECONDS, Keeping
from webnn.specs import Specs
from webnn.store import keys
from webnn.weeding import Weeded


def a_keeping_world(rule: dict[str, Any] | None = None) -> World:
    """A run that keeps 2 days, with ids of its clock."""
    found = a_world()
    found.ids = lambda ids=found.ids: make_id(found.clock.now, bytes.fromhex(ids()[-20:]))
    found.start(limits={"keep_days": 2}, merge={"rule": rule or {"name": "delta"}})
    return found


@pytest.fixture
def world() -> World:
    return a_keeping_world()


def expire(world: World, out_of_time: Callable[[], bool] = never) -> Weeded:
    return Keeping(world.catalog, world.blobs, Specs(world.catalog, world.blobs), clock=world.clock).expire(
        "line", out_of_time
    )


def clear(world: World) -> Cleared:
    (swept,) = world.services.sweeper.sweep(never)
    assert swept.error is None
    return swept.cleared


def merge_one(world: World, *, base: int | None = None) -> Update:
    head = world.head
    stands_on = head.version if base is None else base
    update = world.contribute([1, 0, 0], base_version=stands_on, generation=head.generation)
    world.drain()
    return update


def versions(world: World) -> list[int | None]:
    """Of which there are checkpoints."""
    return [keys.checkpoint_version(blob.key) for blob in world.blobs.listed("checkpoints/line/", "", 1000)]


def replayed(world: World, start: int) -> list[int]:
    return [found.entry.version for found in world.services.replay.replay("line", start=start)]


def merged(world: World, days: int) -> None:
    """One update a day."""
    for _ in range(days):
        merge_one(world)
        world.clock.now += DAY_MILLISECONDS


def bodies(world: World) -> int:
    return len(world.blobs.listed("updates/line/", "", 1000))


def test_by_default_all_is_kept() -> None:
    world = a_world()
    world.start()
    merged(world, 9)
    assert clear(world) == Cleared()


def test_what_is_older_goes_but_the_genesis_and_the_head(world: World) -> None:
    merged(world, 9)
    assert clear(world).expired == 7 + 6
    assert bodies(world) == 2
    assert versions(world) == [0, 7, 8, 9]


def test_the_head_of_a_run_that_rests_stays_however_old(world: World) -> None:
    merged(world, 3)
    world.clock.now += 1000 * DAY_MILLISECONDS
    clear(world)
    assert versions(world) == [0, 3]
    assert world.weights == [4, 2, 3]


def test_a_body_that_waits_is_kept_however_old(world: World) -> None:
    update = world.contribute([1, 0, 0])
    world.clock.now += 9 * DAY_MILLISECONDS
    assert expire(world).deleted == 0
    world.drain()
    assert world.now(update).version == 1


def test_it_is_looked_for_once_a_day(world: World) -> None:
    merged(world, 4)
    assert clear(world).expired > 0
    merged(world, 1)
    world.clock.now -= 1
    assert clear(world).expired == 0
    world.clock.now += 1
    assert clear(world).expired > 0


def test_a_replay_says_what_is_gone_and_can_begin_behind_it(world: World) -> None:
    merged(world, 5)
    clear(world)
    with pytest.raises(Corrupt, match="is gone"):
        list(world.services.replay.replay("line"))
    assert [found.entry.version for found in world.services.replay.replay("line", start=3)] == [3, 4, 5]


def test_a_replay_that_begins_at_no_commit_is_invalid(world: World) -> None:
    merged(world, 1)
    for start in (2, 7):
        with pytest.raises(Invalid, match=f"no commit made version {start}"):
            list(world.services.replay.replay("line", start=start))


def test_what_is_gone_cannot_be_brought_back_and_nothing_moves(world: World) -> None:
    merged(world, 5)
    clear(world)
    before = world.head
    with pytest.raises(Corrupt, match="is gone"):
        world.services.restorer.rollback("line", 1)
    assert world.head == before


def test_a_body_merged_after_an_outage_is_kept_for_its_days(world: World) -> None:
    """What counts is when it was merged, not when it was made."""
    world.contribute([1, 0, 0])
    world.clock.now += 3 * DAY_MILLISECONDS
    assert clear(world).expired == 0
    assert world.head.version == 1
    assert replayed(world, 0) == [0, 1]
    world.clock.now += 2 * DAY_MILLISECONDS + 1
    assert clear(world).expired == 1


def test_a_replay_from_the_oldest_version_that_is_there_succeeds_though_updates_take_their_time(world: World) -> None:
    for _ in range(9):
        world.contribute([1, 0, 0], base_version=world.head.version)
        world.clock.now += 60_000
        world.drain()
        world.clock.now += DAY_MILLISECONDS - 60_000
    world.clock.now += 30_000
    clear(world)
    assert versions(world) == [0, 7, 8, 9]
    assert replayed(world, 7) == [7, 8, 9]


def test_under_a_rule_that_needs_bases_checkpoints_stay_twice_as_long() -> None:
    world = a_keeping_world({"name": "average"})
    for _ in range(9):
        merge_one(world, base=max(0, world.head.version - 1))
        world.clock.now += DAY_MILLISECONDS
    clear(world)
    assert versions(world) == [0, 5, 6, 7, 8, 9]
    assert bodies(world) == 2
    assert replayed(world, 7) == [7, 8, 9]


def test_the_base_of_an_update_that_waits_is_kept_however_old() -> None:
    world = a_keeping_world({"name": "average"})
    merge_one(world)
    waiting = world.contribute([1, 0, 0], base_version=1)
    other = world.contribute([1, 0, 0], base_version=1)
    around(world, catalog=Only(world.catalog, other)).drain()
    assert world.head.version == 2
    world.clock.now += 9 * DAY_MILLISECONDS
    world.catalog.claim_merging(
        MergeLease("line", "another merger", world.clock.now + 60_000), world.catalog.merge_lease("line")
    )
    assert clear(world).expired > 0
    world.clock.now += 61_000
    world.drain()
    assert world.now(waiting).version == 3


def test_a_rollback_is_replayed_though_what_it_restored_is_gone(world: World) -> None:
    merged(world, 3)
    world.services.restorer.rollback("line", 2)
    world.clock.now += 3 * DAY_MILLISECONDS // 2
    clear(world)
    assert versions(world) == [0, 3, 4]
    assert replayed(world, 3) == [3, 4]


def test_an_unmerge_is_believed_when_what_it_is_made_of_is_gone(world: World) -> None:
    merge_one(world)
    world.clock.now += DAY_MILLISECONDS
    left_out = merge_one(world)
    world.clock.now += DAY_MILLISECONDS
    world.services.restorer.unmerge("line", Without(updates=(left_out.update_id,)))
    world.clock.now += DAY_MILLISECONDS // 2
    clear(world)
    assert versions(world) == [0, 1, 2, 3]
    assert bodies(world) == 1
    assert replayed(world, 1) == [1, 2, 3]
    with pytest.raises(Corrupt, match="is gone"):
        replayed(world, 0)


def test_out_of_time_it_goes_on_at_the_next_sweep_not_the_next_day(world: World) -> None:
    for _ in range(250):
        world.contribute([0, 0, 0])
    world.drain()
    world.clock.now += 3 * DAY_MILLISECONDS
    merge_one(world)
    looks = iter([False] * 100)
    expired = [expire(world, lambda: next(looks, True)).deleted, expire(world).deleted]
    assert 0 < expired[0] < 100
    assert sum(expired) == 250 + 2
    assert expire(world).deleted == 0
    assert versions(world) == [0, 250, 251]


def test_what_stays_is_looked_at_once_a_day_however_often_time_runs_out(world: World) -> None:
    """An outage left many that stay before those that go."""
    waiting = [world.contribute([0, 0, 0]) for _ in range(50)]
    gone = world.contribute([0, 0, 0], base_version=7)  # rejected
    around(world, catalog=Only(world.catalog, gone)).drain()
    world.clock.now += 9 * DAY_MILLISECONDS
    calls: list[str] = []
    watched = around(world, catalog=Faulty(world.catalog, before=calls.append))
    for _ in range(30):
        looks = iter([False] * 5)
        expire(watched, lambda looks=looks: next(looks, True))  # type: ignore[misc]  # a default binds it
    assert bodies(world) == len(waiting)
    assert calls.count("update") == len(waiting) + 1


def test_what_nobody_announced_is_left(world: World) -> None:
    odd = ["updates/line/", "updates/line/notes.txt", keys.update("line", "0" * 32)]
    for key in odd:
        world.blobs.create(key, b"x")
    merged(world, 4)
    clear(world)
    assert {blob.key for blob in world.blobs.listed("updates/line/", "", 1000)} >= set(odd)


def test_orphans_that_cannot_be_told_from_others_keep_nothing_else(world: World) -> None:
    """The ledger is silent while orphans are looked for; what is too old goes all the same."""
    merged(world, 4)
    silent = Faulty(world.catalog, before=once("ledger_entry", lost))
    around_it = Clearing(silent, world.blobs, Specs(world.catalog, world.blobs), clock=world.clock)
    kept = bodies(world)
    with pytest.raises(Unavailable):
        around_it.clear("line", never)
    assert bodies(world) < kept
