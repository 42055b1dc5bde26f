"""How fast a run goes, by its ledger."""

import pytest
from faults import Faulty
from samples import START, World, a_world

from webnn.errors import Missing
from webnn.pace import Pace, pace


@pytest.fixture
def world() -> World:
    """Three updates at once after 10 s, two in commits of their own after 50 s."""
    found = a_world()
    found.start()
    for later, batches in ((10_000, [3]), (40_000, [1, 1])):
        found.clock.now += later
        for count in batches:
            for _ in range(count):
                found.contribute([1, 0, 0], base_version=found.head.version)
            found.drain()
    return found


@pytest.mark.parametrize(
    ("now", "rate"),
    [(50_000, 5 / 50), (69_999, 5 / 60), (70_000, 2 / 60), (109_999, 2 / 60), (110_000, 0), (10**9, 0)],
)
def test_is_that_of_the_last_minute_or_of_the_age_of_a_younger_run(world: World, now: int, rate: float) -> None:
    assert pace(world.catalog, world.head, START + now) == Pace(START + 50_000, rate)


def test_counts_updates_and_no_rollback_however_long_a_page_of_the_ledger_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webnn.pace.PAGE", 2)
    world.services.restorer.rollback("line", 3)
    assert pace(world.catalog, world.head, START + 60_000).updates_per_second == 5 / 60


def test_of_a_finished_run_is_none(world: World) -> None:
    world.services.control.finish("line")
    assert pace(world.catalog, world.head, START + 50_000) == Pace(START + 50_000, 0.0)


def test_of_a_run_that_has_merged_nothing_is_none() -> None:
    world = a_world()
    assert pace(world.catalog, world.start(), START) == Pace(START, 0.0)


def test_of_a_run_that_rests_is_known_from_one_row(world: World) -> None:
    reads: list[str] = []
    pace(Faulty(world.catalog, before=reads.append), world.head, START + 10**9)
    assert reads == ["ledger_entry"]


def test_of_a_run_that_is_deleted_meanwhile_is_missing(world: World) -> None:
    head = world.head
    list(world.services.remover.delete("line"))
    with pytest.raises(Missing):
        pace(world.catalog, head, START)
