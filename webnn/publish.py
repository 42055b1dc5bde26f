"""Making a run of a document and data: upload shards, write version 0."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from webnn.core import spec as specs
from webnn.core.initial import initial_weights
from webnn.core.records import Run, Status
from webnn.core.spec import Shard
from webnn.core.tensors import TensorSpec
from webnn.core.wire import Vector, encode_tensors, encode_vector, sha256
from webnn.cutting import Arrays, Example, Pieces, example_of, rows_of
from webnn.errors import Conflict, Invalid, Missing
from webnn.runs import Runs

UPLOADS = 4  # at the same time: a line that is slow for one is not much faster for more
HELD = 2 * UPLOADS  # shards in memory


class Progress(Struct, frozen=True):
    """How far it is.

    Attributes:
        shards: Done.
        total: To do; None where that is not known before the end.
        bytes: Of those done.
        sent: Of these, how many were not there yet.
    """

    shards: int = 0
    total: int | None = None
    bytes: int = 0
    sent: int = 0


OnProgress = Callable[[Progress], None]


def publish(
    runs: Runs,
    name: str,
    document: Mapping[str, Any],
    pieces: Pieces,
    random: np.random.Generator,
    on_progress: OnProgress = lambda _: None,
    status: Status = Status.RUNNING,
    weights: Vector | None = None,
) -> Run:
    """Starts a run. Only its last step writes its rows: what broke off before leaves no run.

    Done again with the same data, it sends no shard that is there, and a run that is this very one is no conflict.
    Where the name is another run's, nothing is sent at all.

    Args:
        runs: Of the stage.
        name: Of the run.
        document: A spec without shards, with `title` and `description`.
        pieces: What to train and to validate on, cut by `webnn.cutting`; shuffled, because clients go through it shard
            by shard. Nothing to train on where the document says that clients have data of their own alone.
        random: Makes the first weights.
        on_progress: Told after each shard.
        status: Running, or paused: then it waits to be set running.
        weights: The first ones, float32 [parameters]. None: fresh ones.

    Raises:
        Invalid: The document or the data do not fit.
        Conflict: The name is taken by another run.
    """
    if weights is None:
        weights = initial_weights(_weights_of(document), random)
    there = _named(runs, name, document, weights)
    shards = _shards(runs, example_of(document), pieces, on_progress, send=there is None)
    _check_examples(document, shards)
    body = specs.encode(_with(document, shards))
    if there is not None:
        return _same(there, body)
    try:
        return runs.start(name, document.get("title", name), document.get("description", ""), body, weights, status)
    except Conflict:
        found = _named(runs, name, document, weights)  # there by now; or this very call has made it, unheard
        if found is None:
            raise
        return _same(found, body)


def _check_examples(document: Mapping[str, Any], shards: Mapping[str, Sequence[Shard]]) -> None:
    """Clients that must have data of their own are given none to train on, and the spec takes none."""
    for part, found in shards.items():
        if not found and (part != "train" or document["data"].get("own") != "must"):
            raise Invalid(f"there is no {part} example")


def _named(runs: Runs, name: str, document: Mapping[str, Any], weights: Vector) -> Run | None:
    """The run of this name, None if there is none. Raises Conflict if it is another whatever the data are."""
    try:
        found = runs.describe(name)
    except Missing:
        return None
    data = found.spec.data
    alike = specs.encode(_with(document, {"train": data.train, "validation": data.validation}))
    first = runs.history(name, -1).commits[0]
    if first.sha256 != sha256(encode_vector(weights)):
        raise _taken(name)
    return _same(found.run, alike)


def _same(there: Run, body: bytes) -> Run:
    if there.spec_sha256 != sha256(body):
        raise _taken(there.run)
    return there


def _taken(name: str) -> Conflict:
    what = f"the name {name!r} is taken by another run, and a run never changes"
    return Conflict(f"{what}: choose another, or `webnn delete {name}`", run=name)


def _with(document: Mapping[str, Any], shards: Mapping[str, Sequence[Shard]]) -> dict[str, Any]:
    return {**document, "data": {**document["data"], **shards}}


def _weights_of(document: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    """As they will be in the spec. Raises Invalid."""
    try:
        return msgspec.convert(document["weightsManifest"][0]["weights"], type=tuple[TensorSpec, ...])
    except (KeyError, IndexError, TypeError, msgspec.ValidationError) as error:
        raise Invalid(f"`weightsManifest` must describe the weights: {error}") from error


def _shards(
    runs: Runs, example: Example, pieces: Pieces, on_progress: OnProgress, *, send: bool
) -> dict[str, list[Shard]]:
    found: dict[str, list[Shard]] = {"train": [], "validation": []}
    progress = Progress(total=pieces.total)
    on_progress(progress)
    with ThreadPoolExecutor(UPLOADS) as pool:
        for part, shards in found.items():
            for shard, sent in _uploaded(runs, example, getattr(pieces, part), pool, send=send):
                shards.append(shard)
                progress = _further(progress, shard, sent)
                on_progress(progress)
    return found


def _further(progress: Progress, shard: Shard, sent: bool) -> Progress:
    return Progress(
        shards=progress.shards + 1,
        total=progress.total,
        bytes=progress.bytes + shard.bytes,
        sent=progress.sent + (shard.bytes if sent else 0),
    )


def _uploaded(
    runs: Runs, example: Example, pieces: Iterable[Arrays], pool: ThreadPoolExecutor, *, send: bool
) -> Iterator[tuple[Shard, bool]]:
    """Each shard in order, and whether it had to be sent; some are on their way at the same time."""
    sending: deque[Future[tuple[Shard, bool]]] = deque()
    for piece in pieces:
        sending.append(pool.submit(_add, runs, encoded(example, piece), rows_of(piece), send=send))
        if len(sending) >= HELD:
            yield sending.popleft().result()
    while sending:
        yield sending.popleft().result()


def encoded(example: Example, piece: Arrays) -> bytes:
    """The body of a shard. Raises Invalid if the arrays do not fit the example."""
    count = rows_of(piece)
    batch = [msgspec.structs.replace(spec, shape=(count, *spec.shape)) for spec in example.tensors]
    return encode_tensors(batch, piece)


def _add(runs: Runs, body: bytes, examples: int, *, send: bool) -> tuple[Shard, bool]:
    shard = Shard(sha256(body), len(body), examples)
    there = not send or runs.has_shard(shard.sha256)
    if not there:
        runs.add_shard(body)
    return shard, not there
