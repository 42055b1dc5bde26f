"""The data of a folder: checked block by block, or cut into the pieces that become shards."""

from collections.abc import Callable, Iterable, Iterator
from math import ceil
from typing import Any, Protocol

import numpy as np

from webnn.core.tensors import total_size
from webnn.core.wire import as_stored
from webnn.cutting import Arrays, Example, Pieces, gathered, part_of, ranges, rows_of, shuffled, taken
from webnn.errors import Invalid
from webnn.project.data_module import DATA, FUNCTIONS, problem_of
from webnn.project.elements import blocks, is_whole, whole
from webnn.project.losses import CATEGORICAL, SPARSE
from webnn.project.problem import Problem
from webnn.project.sections import DataSection
from webnn.project.spec_of import Document
from webnn.project.values import complaints

CHECK_ELEMENTS = 2_000_000  # looked at a time
MOST = 20  # problems told of one function

OnExamples = Callable[[str, int], None]


class Source(Protocol):
    """What gives the data: an owner's data module, for one. Its parts are called `train` and `validation`."""

    def part(self, name: str) -> Any:
        """What a part is: see `webnn.project.elements`."""
        ...

    def iterated(self, items: Iterable[Any]) -> Iterator[Any]:
        """The items of a stream; says whose fault it is when that fails."""
        ...

    def called(self, name: str) -> str:
        """What people know a part as."""
        ...


def problems_of(source: Source, document: Document, data: DataSection, told: OnExamples) -> list[Problem]:
    """All that is wrong with the data, each sentence once.

    Args:
        source: With both parts.
        document: What the data must fit.
        data: How much of it is taken.
        told: Of function and examples, as they are looked at.
    """
    found: dict[Problem, None] = {}
    for name in data.functions:
        count = 0
        try:
            for block in _looked_at(source, document.example, name, _limit(data, name)):
                count += rows_of(block)
                for complaint in complaints(document, block):
                    found.setdefault(Problem(DATA, None, f"{source.called(name)}: {complaint}"))
                told(name, count)
                if len(found) >= MOST:
                    break
        except Invalid as error:
            problem = problem_of(error)
            said = f"{source.called(name)}: {problem.message}{_hint(document, error)}"
            found.setdefault(Problem(problem.file, problem.line, said))
            continue
        if not count:
            found.setdefault(Problem(DATA, None, f"{source.called(name)}: there is no example"))
    return list(found)


def _hint(document: Document, error: Invalid) -> str:
    """Where targets are class indices and the loss takes one-hot vectors, or the other way round."""
    shape = error.details.get("shape")
    target = next((one for one in document.example.targets if one.name == error.details.get("tensor")), None)
    if target is None or not isinstance(shape, list):
        return ""
    if document.loss == CATEGORICAL and shape == list(target.shape[:-1]):
        return f"; for class indices the loss is {SPARSE}"
    if document.loss == SPARSE and shape[:-1] == list(target.shape):
        return f"; for one-hot vectors the loss is {CATEGORICAL}"
    return ""


def pieces_of(source: Source, document: Document, data: DataSection) -> Pieces:
    """The data as what `webnn.publish` takes: training data shuffled, all of it as it is stored, checked once more.

    Arrays are taken in a random order; a stream is mixed as it comes, within bounds. With the same `data.seed` and the
    same data it gives the same pieces.

    Raises:
        Invalid: A function fails, or gives what does not fit; also later, on the way.
    """
    found, totals = dict[str, Iterator[Arrays]](), list[int | None]()
    for name in data.functions:
        random = np.random.default_rng([data.seed, FUNCTIONS.index(name)]) if name == "train" else None
        pieces, total = _cut(source, document, name, _limit(data, name), random)
        found[name] = pieces
        totals.append(total)
    known = [total for total in totals if total is not None]
    return Pieces(found.get("train", ()), found["validation"], sum(known) if len(known) == len(totals) else None)


def _limit(data: DataSection, name: str) -> int | None:
    return data.train_examples if name == "train" else data.validation_examples


def _looked_at(source: Source, example: Example, name: str, limit: int | None) -> Iterator[Arrays]:
    found = source.part(name)
    if not is_whole(found):
        yield from _limited(blocks(example, found, source.iterated), limit)
        return
    arrays = whole(example, found)
    step = max(1, CHECK_ELEMENTS // max(1, total_size(example.tensors)))
    count = rows_of(arrays) if limit is None else min(limit, rows_of(arrays))
    yield from (part_of(arrays, at * step, min(count, (at + 1) * step)) for at in range(ceil(count / step)))


def _limited(found: Iterable[Arrays], limit: int | None) -> Iterator[Arrays]:
    """No more than so many examples; nothing is asked for beyond them."""
    left = limit
    for block in found:
        if left is None or rows_of(block) < left:
            yield block
        else:
            yield part_of(block, 0, left)
            return
        left = None if left is None else left - rows_of(block)


def _cut(
    source: Source, document: Document, name: str, limit: int | None, random: np.random.Generator | None
) -> tuple[Iterator[Arrays], int | None]:
    example, found, called = document.example, source.part(name), source.called(name)
    if is_whole(found):
        arrays = whole(example, found)
        if limit is not None:
            arrays = part_of(arrays, 0, limit)
        count = rows_of(arrays)
        order = None if random is None else random.permutation(count)
        return (_packed(document, called, piece) for piece in taken(example, arrays, order)), len(
            ranges(example, count)
        )
    stream: Iterator[Arrays] = _limited(blocks(example, found, source.iterated), limit)
    # Packed first: what is held, is held as small as it will be.
    stream = (_packed(document, called, part) for block in stream for part in _parts(block, example))
    mixed = stream if random is None else shuffled(example, stream, random)
    return gathered(example, mixed), None


def _parts(block: Arrays, example: Example) -> Iterator[Arrays]:
    """A batch of any size, in parts of a shard at most."""
    count = rows_of(block)
    yield from (part_of(block, at, min(count, at + example.per_shard)) for at in range(0, count, example.per_shard))


def _packed(document: Document, called: str, block: Arrays) -> Arrays:
    for complaint in complaints(document, block):
        raise Invalid(f"{called}: {complaint}", file=DATA, line=None)
    return {tensor.name: as_stored(tensor, block[tensor.name]) for tensor in document.example.tensors}
