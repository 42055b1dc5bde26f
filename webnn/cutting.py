"""Cutting data into shards, one at a time, so that memory holds a few of them however large the data is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from webnn.core.tensors import TensorSpec, total_bytes
from webnn.core.wire import Array
from webnn.datasets import Dataset, Split
from webnn.errors import Invalid

SHARD_BYTES = 1_600_000  # about a second of a slow line; small enough for a phone to keep many
LEAST = 4  # shards, where there are examples enough: so that clients begin at different ones
SHUFFLE_BYTES = 32_000_000  # of a stream, mixed at a time

Arrays = Mapping[str, Array]  # by the names of the tensors of an example, each [n, ...]


class Example(Struct, frozen=True):
    """What `data` of a spec says of one example. Shapes are without the examples axis."""

    inputs: tuple[TensorSpec, ...]
    targets: tuple[TensorSpec, ...]

    @property
    def tensors(self) -> tuple[TensorSpec, ...]:
        """Inputs, then targets: the order of the tensors in a shard."""
        return self.inputs + self.targets

    @property
    def per_shard(self) -> int:
        """Examples that a shard has room for."""
        return max(1, SHARD_BYTES // max(1, total_bytes(self.tensors)))


class Pieces(Struct, frozen=True):
    """What is to become shards, one after another; each is read once.

    Attributes:
        total: How many there are, where that is known.
    """

    train: Iterable[Arrays]
    validation: Iterable[Arrays]
    total: int | None = None


def example_of(document: Mapping[str, Any]) -> Example:
    """What a document says of one example. Raises Invalid."""
    try:
        found = msgspec.convert(document["data"], type=Example)
    except (KeyError, msgspec.ValidationError) as error:
        raise Invalid(f"`data` must describe the inputs and the targets of an example: {error}") from error
    if not found.inputs or not found.targets:
        raise Invalid("`data` must describe at least one input and one target")
    return found


def of_dataset(document: Mapping[str, Any], dataset: Dataset) -> Pieces:
    """A shuffled data set of one input and one target, in shards of nearly equal size. Raises Invalid."""
    example = example_of(document)
    if len(example.tensors) != 2:
        raise Invalid("this data set has one input and one target, the document more")
    total = sum(len(ranges(example, len(part.inputs))) for part in (dataset.train, dataset.validation))
    return Pieces(_split(example, dataset.train), _split(example, dataset.validation), total)


def _split(example: Example, split: Split) -> Iterator[Arrays]:
    names = [tensor.name for tensor in example.tensors]
    return taken(example, dict(zip(names, (split.inputs, split.targets), strict=True)))


def ranges(example: Example, count: int) -> list[range]:
    """Where to cut `count` examples, so that shards are of nearly equal size and at most `SHARD_BYTES`."""
    shards = max(-(-count // example.per_shard), min(LEAST, count))
    ends = np.cumsum([0, *(len(part) for part in np.array_split(np.empty(count, np.uint8), max(1, shards)))])
    return [range(start, end) for start, end in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True) if end > start]


def taken(example: Example, arrays: Arrays, order: Array | None = None) -> Iterator[Arrays]:
    """Arrays that are all there, cut; in the order of these rows, if given."""
    for rows in ranges(example, rows_of(arrays)):
        where: Any = slice(rows.start, rows.stop) if order is None else order[rows.start : rows.stop]
        yield {name: array[where] for name, array in arrays.items()}


def gathered(example: Example, blocks: Iterable[Arrays]) -> Iterator[Arrays]:
    """Blocks of a stream of unknown length, of any sizes, cut.

    The last shards share what is left, so that none is so small that a client would train on the same few examples.
    """
    per_shard, held, count = example.per_shard, list[Arrays](), 0
    for block in blocks:
        held.append(block)
        count += rows_of(block)
        if count >= 2 * LEAST * per_shard:
            joined = joined_of(held)
            full = count // per_shard - LEAST
            yield from (part_of(joined, i * per_shard, (i + 1) * per_shard) for i in range(full))
            held, count = [part_of(joined, full * per_shard, count)], count - full * per_shard
    if count:
        yield from taken(example, joined_of(held))


def shuffled(example: Example, blocks: Iterable[Arrays], random: np.random.Generator) -> Iterator[Arrays]:
    """Blocks of a stream, mixed within a bound of `SHUFFLE_BYTES`: half of what is held goes on at a time."""
    enough = max(2, SHUFFLE_BYTES // max(1, total_bytes(example.tensors)))
    held, count = list[Arrays](), 0
    for block in blocks:
        held.append(block)
        count += rows_of(block)
        if count >= enough:
            mixed = _mixed(held, random)
            yield part_of(mixed, 0, count // 2)
            held, count = [part_of(mixed, count // 2, count)], count - count // 2
    if count:
        yield _mixed(held, random)


def rows_of(arrays: Arrays) -> int:
    """How many examples."""
    return min(len(array) for array in arrays.values())


def joined_of(blocks: Sequence[Arrays]) -> Arrays:
    """Blocks one after another."""
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def part_of(arrays: Arrays, start: int, end: int) -> Arrays:
    """Some rows, viewed."""
    return {name: array[start:end] for name, array in arrays.items()}


def _mixed(blocks: Sequence[Arrays], random: np.random.Generator) -> Arrays:
    joined = joined_of(blocks)
    order = random.permutation(rows_of(joined))
    return {name: array[order] for name, array in joined.items()}
