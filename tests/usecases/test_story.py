"""A run as it unfolds, read piece by piece."""

from collections import Counter

import pytest
from faults import Faulty, lost, once
from samples import World, a_client, a_world, an_evaluation

from webnn import story as module
from webnn.core.records import Status
from webnn.errors import Missing, Unavailable
from webnn.pace import pace
from webnn.story import Story, all_commits, all_evaluations, percentile


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start()
    return found


def merged(world: World, *staleness: int) -> None:
    """One commit of updates that are as stale as that."""
    for stale in staleness:
        world.contribute([0, 0, 0], base_version=world.head.version - stale)
    world.drain()


def test_a_run_at_version_0(world: World) -> None:
    world.clock.now += 90_000
    standing = Story(world.catalog, "line", world.clock).look()
    assert (standing.status, standing.version, standing.updates, standing.updates_per_second) == ("running", 0, 0, 0.0)
    assert (standing.accuracy, standing.loss, standing.evaluated_version) == (None, None, None)
    assert (standing.staleness_p50, standing.staleness_p95) == (None, None)
    assert (standing.seconds, standing.checkpoint_bytes, standing.update_bytes) == (90.0, 12, 0)
    assert not standing.catching_up


def test_each_commit_and_evaluation_is_counted_once_however_often_somebody_looks(world: World) -> None:
    followed = Story(world.catalog, "line", world.clock)
    followed.look()
    merged(world, 0)
    for _ in range(3):
        standing = followed.look()
    merged(world, 0, 1)
    world.catalog.record_evaluation(an_evaluation("line", 3, accuracy=0.75))
    for _ in range(3):
        standing = followed.look()
    assert (standing.version, standing.updates, standing.update_bytes) == (3, 3, 36)
    assert standing.checkpoint_bytes == 3 * 12
    assert followed.staleness == Counter({0: 2, 2: 1})
    assert [entry.version for entry in followed.commits] == [0, 1, 3]
    assert (standing.accuracy, standing.loss, standing.evaluated_version) == (0.75, 0.25, 3)


def test_an_evaluation_that_comes_after_later_commits_is_seen(world: World) -> None:
    followed = Story(world.catalog, "line", world.clock)
    merged(world, 0)
    merged(world, 0)
    followed.look()
    world.catalog.record_evaluation(an_evaluation("line", 1, accuracy=0.5))
    assert followed.look().evaluated_version == 1


def test_a_silence_in_the_middle_loses_nothing(world: World) -> None:
    merged(world, 0)
    world.catalog.record_evaluation(an_evaluation("line", 1))
    for method in ("head", "active_clients", "ledger", "evaluations"):
        followed = Story(Faulty(world.catalog, after=once(method, lost)), "line", world.clock)
        with pytest.raises(Unavailable):
            followed.look()
        assert (followed.look().updates, len(followed.evaluations)) == (1, 1)


def test_a_long_history_is_read_over_several_looks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    monkeypatch.setattr(module, "PAGES_A_LOOK", 2)
    for _ in range(6):
        merged(world, 0)
    followed = Story(world.catalog, "line", world.clock)
    assert [(s.updates, s.catching_up) for s in (followed.look(), followed.look())] == [(3, True), (6, False)]
    assert [entry.version for entry in all_commits(world.catalog, "line")] == list(range(7))


def test_what_is_remembered_does_not_grow_with_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REMEMBERED", 3)
    for _ in range(5):
        merged(world, 0)
    followed = Story(world.catalog, "line", world.clock)
    assert followed.look().updates == 5
    assert [entry.version for entry in followed.commits] == [3, 4, 5]


def test_the_rate_is_of_the_last_minute(world: World) -> None:
    world.clock.now += 60_000
    merged(world, 0, 0)
    world.clock.now += 20_000
    merged(world, 0)
    followed = Story(world.catalog, "line", world.clock)
    assert followed.look().updates_per_second == 3 / 60
    world.clock.now += 45_000
    assert followed.look().updates_per_second == 1 / 60
    world.catalog.set_status(world.head, Status.FINISHED)
    assert followed.look().updates_per_second == 0.0


@pytest.mark.parametrize(("age", "over"), [(500, 1), (15_000, 15), (60_000, 60), (10**6, 60)])
def test_the_rate_of_a_young_run_is_over_its_age_and_is_the_one_that_its_pace_tells(
    world: World, age: int, over: int
) -> None:
    world.clock.now += age
    merged(world, 0, 0, 0)
    assert Story(world.catalog, "line", world.clock).look().updates_per_second == 3 / over
    assert pace(world.catalog, world.head, world.clock.now).updates_per_second == 3 / over


def test_clients_are_those_of_the_last_minute(world: World) -> None:
    for number, ago in ((1, 0), (2, 59_999), (3, 60_001)):
        world.catalog.join(a_client("line", number, seen_at=world.clock() - ago))
    assert Story(world.catalog, "line", world.clock).look().clients == 2


def test_the_time_of_a_finished_run_stands_still(world: World) -> None:
    world.clock.now += 5_000
    merged(world, 0)
    world.catalog.set_status(world.head, Status.FINISHED)
    world.clock.now += 100_000
    assert Story(world.catalog, "line", world.clock).look().seconds == 5.0


def test_a_run_that_is_not_there_is_missing(world: World) -> None:
    with pytest.raises(Missing):
        Story(world.catalog, "no-such", world.clock).look()
    for read in (all_commits, all_evaluations):
        with pytest.raises(Missing):
            list(read(world.catalog, "no-such"))


@pytest.mark.parametrize(
    ("counts", "p50", "p95"),
    [({}, None, None), ({3: 1}, 3, 3), ({0: 1, 1: 1}, 0, 1), ({0: 95, 7: 5}, 0, 0), ({0: 94, 7: 6}, 0, 7)],
)
def test_percentiles(counts: dict[int, int], p50: int | None, p95: int | None) -> None:
    assert (percentile(counts, 0.5), percentile(counts, 0.95)) == (p50, p95)
