"""The learning rate that a client is told is that of the version that it trains from."""

import pytest
from samples import World, a_world

from webnn.api import answers
from webnn.clients import Train


@pytest.fixture
def world() -> World:
    found = a_world()
    decay = {"factor": 0.5, "every_versions": 2}
    found.start(training={"learning_rate": 0.8, "decay": decay, "loss": "meanSquaredError", "batch_size": 4})
    found.services.clients.next_task(found.services.clients.join("line"))  # is asked to evaluate
    return found


@pytest.mark.parametrize(("versions", "rate"), [(0, 0.8), (1, 0.8), (2, 0.4), (5, 0.2)])
def test_the_rate_falls_with_the_version_of_the_head(world: World, versions: int, rate: float) -> None:
    for _ in range(versions):
        world.contribute([0, 0, 0])
    world.drain()
    task = world.services.clients.next_task(world.services.clients.join("line"))
    assert isinstance(task, Train)
    assert answers.task(task, world.blobs)["training"]["learning_rate"] == rate
    assert answers.description(world.services.runs.describe("line"))["training"]["learning_rate"] == rate
