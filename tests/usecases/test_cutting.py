"""Data becomes shards of the right sizes, and every example of it has exactly one place in them."""

from collections.abc import Iterator

import numpy as np
import pytest

from webnn import cutting
from webnn.core.tensors import TensorSpec
from webnn.cutting import Arrays, Example, gathered, ranges, rows_of, shuffled, taken

EXAMPLE = Example((TensorSpec("x", (2,), "float32"),), (TensorSpec("y", (), "float32"),))  # 12 bytes


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten examples a shard, and forty in the shuffle."""
    monkeypatch.setattr(cutting, "SHARD_BYTES", 120)
    monkeypatch.setattr(cutting, "SHUFFLE_BYTES", 480)


def numbered(start: int, end: int) -> Arrays:
    y = np.arange(start, end, dtype=np.float32)
    return {"x": np.stack([y, -y], axis=1), "y": y}


def in_blocks(count: int, size: int) -> Iterator[Arrays]:
    yield from (numbered(at, min(count, at + size)) for at in range(0, count, size))


def numbers(pieces: list[Arrays]) -> list[float]:
    assert all((piece["x"][:, 0] == piece["y"]).all() for piece in pieces)
    return [float(y) for piece in pieces for y in piece["y"]]


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (3, [1, 1, 1]), (9, [3, 2, 2, 2]), (41, [9, 8, 8, 8, 8])]
)
def test_arrays_are_cut_into_nearly_equal_shards_at_least_four_if_they_can(count: int, sizes: list[int]) -> None:
    assert [len(rows) for rows in ranges(EXAMPLE, count)] == sizes
    pieces = list(taken(EXAMPLE, numbered(0, count)))
    assert [rows_of(piece) for piece in pieces] == sizes
    assert numbers(pieces) == list(range(count))


def test_arrays_are_taken_in_the_order_that_is_asked_for() -> None:
    pieces = list(taken(EXAMPLE, numbered(0, 5), np.array([4, 2, 0, 1, 3])))
    assert numbers(pieces) == [4, 2, 0, 1, 3]


@pytest.mark.parametrize("size", [1, 7, 10, 300])
@pytest.mark.parametrize("count", [0, 1, 39, 80, 81, 85, 123])
def test_a_stream_is_cut_in_its_order_whatever_blocks_it_comes_in(count: int, size: int) -> None:
    pieces = list(gathered(EXAMPLE, in_blocks(count, size)))
    assert numbers(pieces) == list(range(count))
    assert all(rows_of(piece) <= 10 for piece in pieces)
    assert len(pieces) >= min(4, count)


def test_no_shard_of_a_stream_is_left_with_a_few_examples() -> None:
    assert min(rows_of(piece) for piece in gathered(EXAMPLE, in_blocks(81, 10))) >= 8


def test_a_stream_is_cut_before_all_of_it_was_read() -> None:
    read = []

    def endless() -> Iterator[Arrays]:
        for at in range(10**9):
            read.append(at)
            yield numbered(at, at + 1)

    next(gathered(EXAMPLE, endless()))
    assert len(read) == 80


def test_shuffling_a_stream_loses_and_doubles_nothing_and_mixes_across_blocks() -> None:
    found = numbers(list(shuffled(EXAMPLE, in_blocks(200, 10), np.random.default_rng(1))))
    assert sorted(found) == list(range(200))
    assert found != sorted(found)
    assert len({int(number) // 10 for number in found[:10]}) >= 3
    assert max(found[:20]) < 40  # within its bound


def test_shuffling_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    first, again, other = (
        numbers(list(shuffled(EXAMPLE, in_blocks(50, 5), np.random.default_rng(seed)))) for seed in (1, 1, 2)
    )
    assert first == again != other
