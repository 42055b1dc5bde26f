"""Publishing: shards arrive whole and once, and only what is complete is a run."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from faults import Faulty, around, once
from samples import World, a_spec, a_world

from webnn.core.records import Status
from webnn.core.tensors import TensorSpec
from webnn.core.wire import decode_tensors
from webnn.cutting import Arrays, Pieces
from webnn.errors import Conflict, Invalid, Missing, Unavailable
from webnn.publish import HELD, Progress, publish
from webnn.store import keys

TWO = {
    "inputs": [
        {"name": "image", "shape": [2], "dtype": "float32", "quantization": {"dtype": "uint8", "min": 0, "scale": 0.5}},
        {"name": "age", "shape": [], "dtype": "int32"},
    ],
    "targets": [{"name": "kind", "shape": [], "dtype": "int32"}, {"name": "size", "shape": [1], "dtype": "float32"}],
}


@pytest.fixture
def world() -> World:
    return a_world()


def document(**members: Any) -> dict[str, Any]:
    found = a_spec(**members)
    found["data"] = {side: found["data"][side] for side in ("inputs", "targets")}
    return found


def piece(number: int) -> Arrays:
    return {"x": np.full((3, 2), number, np.float32), "y": np.full(3, number, np.float32)}


def pieces(count: int = 3) -> Pieces:
    return Pieces([piece(number) for number in range(count)], [piece(1000)], count + 1)


def published(world: World, found: Pieces, **options: Any) -> list[Progress]:
    told: list[Progress] = []
    publish(world.services.runs, "line", document(), found, np.random.default_rng(0), told.append, **options)
    return told


def test_several_inputs_and_targets_arrive_as_their_specs_say(world: World) -> None:
    arrays = {
        "image": np.array([[0.5, 1.0], [100.0, 127.5]]), "age": np.array([3, -4]),
        "kind": np.array([1, 0], np.uint8), "size": np.array([[0.25], [8.0]]),
    }  # fmt: skip
    publish(
        world.services.runs, "line", document() | {"data": TWO}, Pieces([arrays], [arrays]), np.random.default_rng(0)
    )
    spec = world.services.runs.describe("line").spec
    (shard,) = spec.data.train
    body = bytes(world.blobs.get(keys.shard(shard.sha256)))
    assert len(body) == shard.bytes == 2 * (2 + 4 + 4 + 4)
    batch = [TensorSpec(one.name, (2, *one.shape), one.dtype, one.quantization) for one in spec.data.example]
    found = decode_tensors(batch, body)
    assert {name: array.tolist() for name, array in found.items()} == {
        "image": [[0.5, 1.0], [100.0, 127.5]], "age": [3, -4], "kind": [1, 0], "size": [[0.25], [8.0]],
    }  # fmt: skip


def test_shards_stand_in_the_order_in_which_they_were_cut_though_some_are_sent_at_once(world: World) -> None:
    told = published(world, pieces(40))
    shards = world.services.runs.describe("line").spec.data.train
    bodies = [np.frombuffer(world.blobs.get(keys.shard(shard.sha256)), "<f4")[0] for shard in shards]
    assert bodies == list(range(40))
    assert [one.shards for one in told] == list(range(42))
    assert told[-1] == Progress(41, 41, 41 * 36, 41 * 36)


def test_few_pieces_are_asked_for_ahead_of_what_was_sent(world: World) -> None:
    asked: list[int] = []
    most: list[int] = []

    def counted() -> Iterator[Arrays]:
        for number in range(50):
            asked.append(number)
            yield piece(number)

    def told(found: Progress) -> None:
        most.append(len(asked) - found.shards)

    publish(world.services.runs, "line", document(), Pieces(counted(), [piece(99)]), np.random.default_rng(0), told)
    assert max(most) <= HELD


def test_what_broke_off_leaves_no_run_and_is_gone_on_with(world: World) -> None:
    def broken() -> Iterator[Arrays]:
        yield from (piece(number) for number in range(20))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="disk"):
        published(world, Pieces(broken(), [piece(1000)]))
    with pytest.raises(Missing):
        world.catalog.run("line")
    bodies: list[str] = []
    counting = around(world, blobs=Faulty(world.blobs, before=bodies.append))
    told = published(counting, pieces(30))
    assert told[-1].bytes - told[-1].sent >= (20 - HELD) * 36
    sent = told[-1].sent // 36
    assert bodies.count("create") == sent + 2  # the spec and the genesis


def test_a_shard_that_could_not_be_sent_leaves_no_run(world: World) -> None:
    def lost() -> None:
        raise Unavailable("S3 did not answer")

    failing = around(world, blobs=Faulty(world.blobs, before=once("create", lost)))
    with pytest.raises(Unavailable):
        published(failing, pieces())
    with pytest.raises(Missing):
        world.catalog.run("line")


def test_a_run_that_is_this_very_one_is_no_conflict_and_nothing_is_sent(world: World) -> None:
    published(world, pieces())
    head = world.head
    assert published(world, pieces())[-1].sent == 0
    assert world.head == head


@pytest.mark.parametrize("changed", ["data", "settings", "weights"])
def test_where_the_name_is_another_runs_nothing_is_sent(world: World, changed: str) -> None:
    published(world, pieces())
    calls: list[str] = []
    counting = around(world, blobs=Faulty(world.blobs, before=calls.append))
    asked: list[int] = []

    def counted() -> Iterator[Arrays]:
        for number in range(7):
            asked.append(number)
            yield piece(number + 50)

    new = document(training={"local_steps": 9}) if changed == "settings" else document()
    first = np.float32([9, 9, 9]) if changed == "weights" else None
    with pytest.raises(Conflict, match="the name 'line' is taken by another run"):
        publish(
            counting.services.runs, "line", new, Pieces(counted(), [piece(99)]), np.random.default_rng(0), weights=first
        )
    assert "create" not in calls
    assert len(asked) == (7 if changed == "data" else 0)  # what can be known without the data is not asked of them


def test_a_paused_run_waits(world: World) -> None:
    published(world, pieces(), status=Status.PAUSED)
    assert world.head.status is Status.PAUSED


@pytest.mark.parametrize(("train", "validation"), [([], [piece(0)]), ([piece(0)], [])])
def test_no_examples_are_refused(world: World, train: list[Arrays], validation: list[Arrays]) -> None:
    with pytest.raises(Invalid, match=r"there is no (train|validation) example"):
        published(world, Pieces(train, validation))


def test_where_clients_train_on_data_of_their_own_alone_there_is_nothing_to_train_on(world: World) -> None:
    found = document()
    found["data"]["own"] = "must"
    publish(world.services.runs, "line", found, Pieces([], [piece(0)]), np.random.default_rng(0))
    data = world.services.runs.describe("line").spec.data
    assert (data.train, data.validation_examples) == ((), 3)
    with pytest.raises(Invalid, match="nobody would be given any"):
        publish(world.services.runs, "other", found, Pieces([piece(0)], [piece(1)]), np.random.default_rng(0))
    with pytest.raises(Invalid, match="no validation example"):
        publish(world.services.runs, "other", found, Pieces([], []), np.random.default_rng(0))


@pytest.mark.parametrize("data", [{}, {"inputs": [], "targets": []}, {"inputs": 1, "targets": []}])
def test_a_document_that_describes_no_example_is_refused(world: World, data: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="`data` must describe"):
        publish(
            world.services.runs, "line", json.loads(json.dumps(document())) | {"data": data}, pieces(),
            np.random.default_rng(0),
        )  # fmt: skip
