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
    ("now", "updates"), [(50_000, 5), (69_999, 5), (70_000, 2), (109_999, 2), (110_000, 0), (10**9, 0)]
)
def test_is_that_of_the_last_minute(world: World, now: int, updates: int) -> None:
    assert pace(world.catalog, world.head, START + now) == Pace(START + 50_000, updates / 60)


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
