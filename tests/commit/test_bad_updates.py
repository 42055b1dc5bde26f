"""Updates whose bytes or claims are wrong: each ends with its reason on record, and changes nothing else."""

from collections.abc import Callable

import numpy as np
import pytest
from samples import SECRET, World, a_world, body_of, never

from webnn.core.records import Update, UpdateState
from webnn.core.wire import Quantization, sha256
from webnn.wiring import assemble

GOOD = body_of([1, 0, 0])


@pytest.fixture
def world() -> World:
    found = a_world()
    found.start(
        [1, 2, 3],
        merge={"rule": {"name": "delta", "discounting": {"name": "constant"}}},
        limits={"delta_norm": 100.0},
    )
    return found


def uploaded(world: World, body: bytes, **members: object) -> Update:
    """An update announced as what it is, body and all."""
    update = world.announce([1, 0, 0], **({"bytes": len(body), "sha256": sha256(body)} | members))
    world.upload(update, body)
    return update


def as_announced_but(world: World, body: bytes) -> Update:
    """Announced as a good update; other bytes came."""
    update = world.announce([1, 0, 0])
    world.upload(update, body)
    return update


Wrong = Callable[[World], Update]
WRONG: dict[str, tuple[Wrong, str]] = {
    "cut short": (lambda w: as_announced_but(w, GOOD[:-1]), "11 bytes were uploaded, 12 announced"),
    "padded": (lambda w: as_announced_but(w, GOOD + b"\0"), "13 bytes were uploaded, 12 announced"),
    "empty": (lambda w: as_announced_but(w, b""), "0 bytes were uploaded, 12 announced"),
    "other bytes": (
        lambda w: as_announced_but(w, body_of([2, 0, 0])),
        "the SHA-256 of the body is not the announced one",
    ),
    "another model's": (lambda w: uploaded(w, body_of([1, 2, 3, 4])), "16 bytes where 12 were due"),
    "another encoding": (lambda w: uploaded(w, GOOD, encoding="float16"), "12 bytes where 6 were due"),
    "NaN": (lambda w: uploaded(w, body_of([1, np.nan, 0])), "the delta holds NaN or infinity"),
    "infinity": (lambda w: uploaded(w, body_of([1, np.inf, 0])), "the delta holds NaN or infinity"),
    "infinity in float16": (
        lambda w: uploaded(w, np.array([0, np.inf, 0], "<f2").tobytes(), encoding="float16"),
        "the delta holds NaN or infinity",
    ),
    "a scale out of range": (
        lambda w: uploaded(w, b"\1\1\1", encoding="uint8", quantization=(Quantization(0, 1e39),) * 2),
        "the delta holds NaN or infinity",
    ),
    "one quantisation too few": (
        lambda w: uploaded(w, b"\1\1\1", encoding="uint8", quantization=(Quantization(0, 1),)),
        "1 quantizations for 2 tensors",
    ),
    "too long a way": (lambda w: uploaded(w, body_of([60, 80, 1])), "the delta's norm 100.005 is over the limit 100"),
    "a base that never was": (lambda w: uploaded(w, GOOD, base_version=7), "no commit made version 7"),
}


@pytest.mark.parametrize(("wrong", "reason"), WRONG.values(), ids=WRONG.keys())
def test_it_is_rejected_with_its_reason_and_the_head_stays(world: World, wrong: Wrong, reason: str) -> None:
    head = world.head
    update = wrong(world)
    world.drain()
    assert world.now(update) == update.rejected(reason)
    assert world.head == head
    assert len(world.catalog.ledger(world.name, -1, 10)) == 1


@pytest.mark.parametrize("wrong", [wrong for wrong, _ in WRONG.values()], ids=WRONG.keys())
def test_its_neighbours_are_merged_as_if_it_were_not_there(world: World, wrong: Wrong) -> None:
    before = world.contribute([1, 0, 0])
    bad = wrong(world)
    after = world.contribute([0, 1, 0])
    world.drain()
    assert world.now(before) == before.merged(1, staleness=0, discount=1.0)
    assert world.now(after) == after.merged(2, staleness=1, discount=1.0)
    assert world.now(bad).state is UpdateState.REJECTED
    assert world.weights == [2, 3, 3]


def test_a_rejected_update_is_never_looked_at_again(world: World) -> None:
    update = as_announced_but(world, GOOD[:-1])
    world.drain()
    world.blobs._blobs[f"updates/{world.name}/{update.update_id}.bin"] = GOOD
    world.drain()
    assert world.now(update).state is UpdateState.REJECTED
    assert world.head.version == 0


@pytest.mark.parametrize(
    ("encoding", "body", "quantization"),
    [
        ("float16", np.array([1, 0, -1], "<f2").tobytes(), ()),
        ("uint8", bytes([255, 0, 0]), (Quantization(0.0, 1 / 255), Quantization(-1.0, 0.5))),
        ("uint16", np.array([1, 0, 0], "<u2").tobytes(), (Quantization(0.0, 1.0), Quantization(-1.0, 0.5))),
    ],
)
def test_every_encoding_is_merged(
    world: World, encoding: str, body: bytes, quantization: tuple[Quantization, ...]
) -> None:
    update = uploaded(world, body, encoding=encoding, quantization=quantization)
    world.drain()
    assert world.now(update).state is UpdateState.MERGED
    assert world.weights == [2, 2, 2]


def test_updates_of_different_encodings_are_merged_in_one_commit(world: World) -> None:
    uploaded(world, np.array([1, 0, 0], "<f2").tobytes(), encoding="float16")
    world.contribute([0, 1, 0])
    world.drain()
    assert world.weights == [2, 3, 3]
    assert len(world.catalog.ledger(world.name, 0, 10)) == 1


@pytest.mark.parametrize("most", [1, 7, 95])
def test_what_would_make_the_weights_infinite_is_rejected_and_the_head_stays_finite(most: int) -> None:
    """Mimic moves away from whoever is not fresher, half as far again with each: from 1e11 it takes 160 updates."""
    world = a_world()
    world.start([1, 2, 3], merge={"rule": {"name": "mimic"}}, limits={"delta_norm": 1e12})
    updates = [world.contribute([1e11, 0, 0]) for _ in range(200)]
    stores = {"clock": world.clock, "ids": world.ids}
    assemble(world.catalog, world.blobs, SECRET, world.rung.append, most=most, **stores).committer.drain("line", never)
    outcomes = [world.now(update) for update in updates]
    merged = [one.state for one in outcomes].index(UpdateState.REJECTED)
    assert 100 < merged < 200
    assert {one.state for one in outcomes[:merged]} == {UpdateState.MERGED}
    assert {one.reason for one in outcomes[merged:]} == {"merged, it would make the weights infinite or not a number"}
    assert np.isfinite(world.weights).all()
    assert world.head.version == merged
    assert [found.entry.version for found in world.services.replay.replay("line")][-1] == merged
