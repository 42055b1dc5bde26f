"""Rows whose attributes are of another type than PynamoDB writes: restored in part, or edited by hand."""

from typing import Any

import pytest
from faults import Faulty, around
from samples import World, a_world, never
from stages import Stage

from webnn import aws
from webnn.core.records import Run
from webnn.errors import Corrupt
from webnn.settings import environment
from webnn.store import records_in_rows as shape


@pytest.fixture
def world(embedded_stage: Stage, run_name: str, monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in embedded_stage.variables.items():
        monkeypatch.setenv(name, value)
    found = a_world(*embedded_stage.shared, name=run_name)
    found.start()
    return found


@pytest.fixture
def damage(world: World, embedded_stage: Stage) -> Any:
    """Writes one attribute of a row as nobody here would."""
    where = environment(embedded_stage.variables)
    dynamodb = aws.client(where, "dynamodb")

    def write(item: str, attribute: str, value: dict[str, str]) -> None:
        dynamodb.update_item(
            TableName=f"webnn-{where.stage}",
            Key={"run": {"S": world.name}, "item": {"S": item}},
            UpdateExpression="SET #a = :v",
            ExpressionAttributeNames={"#a": attribute},
            ExpressionAttributeValues={":v": value},
        )

    return write


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("base_version", {"S": "one"}),
        ("quantization", {"S": "not JSON"}),
        ("loss", {"S": "abc"}),
        ("state", {"S": "merging"}),
        ("encoding", {"S": "float64"}),
    ],
)
def test_an_update_that_cannot_be_read_is_corrupt(
    world: World, damage: Any, attribute: str, value: dict[str, str]
) -> None:
    update = world.announce([1, 0, 0])
    damage(shape.update_item(update.update_id), attribute, value)
    with pytest.raises(Corrupt):
        world.services.committer.drain(world.name, never)


class Listing(Faulty):
    """A catalog whose list of runs holds just these: the engine's holds those of all other tests."""

    def __init__(self, inner: Any, *names: str) -> None:
        super().__init__(inner)
        self._names = names

    def runs(self) -> list[Run]:
        return [self._inner.run(name) for name in self._names]


def test_a_head_that_cannot_be_read_hides_no_other_run(world: World, damage: Any, run_name: str) -> None:
    other = a_world(world.catalog, world.blobs, world.clock, world.ids, name=f"{run_name}-other")
    other.start()
    damage("head", "version", {"S": "one"})
    with pytest.raises(Corrupt):
        world.services.runs.describe(world.name)
    listing = around(world, catalog=Listing(world.catalog, run_name, other.name))
    assert [found.run.run for found in listing.services.runs.all()] == [other.name]
