"""How good a run's weights are, wherever its head has gone."""

import pytest
from samples import World, a_world, an_evaluation

from webnn.measured import measured

Known = tuple[int, float] | None


@pytest.fixture
def world() -> World:
    """Three versions, of which the first two were evaluated."""
    found = a_world()
    found.start()
    for version, accuracy in [(1, 0.25), (2, 0.75), (3, None)]:
        found.contribute([0.5, 0, 0], base_version=found.head.version)
        found.drain()
        if accuracy is not None:
            found.catalog.record_evaluation(an_evaluation(found.name, version, lease=version, accuracy=accuracy))
    return found


def known(world: World) -> Known:
    found = measured(world.catalog, world.head)
    description = world.services.runs.describe(world.name)
    assert description.metrics == found
    return found and (found.version, found.accuracy)


def test_the_newest_evaluation_counts_though_the_head_is_further(world: World) -> None:
    assert known(world) == (2, 0.75)


def test_what_was_evaluated_before_a_reset_says_nothing_of_the_first_weights(world: World) -> None:
    world.services.control.reset(world.name)
    assert known(world) is None


def test_a_version_that_was_brought_back_is_as_good_as_it_was(world: World) -> None:
    world.services.restorer.rollback(world.name, 1)
    assert known(world) == (1, 0.25)


def test_a_version_brought_back_that_was_not_evaluated_is_not_known(world: World) -> None:
    world.services.restorer.rollback(world.name, 3)
    assert known(world) is None


def test_what_is_trained_on_a_version_brought_back_is_not_known_until_it_is_evaluated(world: World) -> None:
    world.services.restorer.rollback(world.name, 1)
    world.contribute([0.5, 0, 0], base_version=4, generation=world.head.generation)
    world.drain()
    assert known(world) is None
    world.catalog.record_evaluation(an_evaluation(world.name, 5, lease=5, accuracy=0.5))
    assert known(world) == (5, 0.5)


def test_nothing_is_known_before_the_first_evaluation() -> None:
    world = a_world()
    world.start()
    assert known(world) is None
