"""Making a run of a model document and a data set: cut shards, upload them, write version 0."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from webnn.core import spec as specs
from webnn.core.initial import initial_weights
from webnn.core.records import Run
from webnn.core.spec import Shard
from webnn.core.tensors import TensorSpec
from webnn.core.wire import encode_tensors
from webnn.datasets import Dataset, Split
from webnn.errors import Invalid
from webnn.runs import Runs

SHARD_BYTES = 1_600_000  # about a second of a slow line; small enough for a phone to keep many


def publish(
    runs: Runs,
    name: str,
    document: Mapping[str, Any],
    dataset: Dataset,
    random: np.random.Generator,
    on_progress: Callable[[int, int], None],
) -> Run:
    """Starts a run.

    Args:
        runs: Of the stage.
        name: Of the run.
        document: A spec without shards, with `title` and `description` and one input and one target.
        dataset: What to train on; should be shuffled, because clients go through it shard by shard.
        random: Makes the first weights.
        on_progress: Called with shards done and shards to do.

    Raises:
        Invalid: The document or the data do not fit.
        Conflict: The name is taken.
    """
    example = _example(document)
    plan = [(part, piece) for part in ("train", "validation") for piece in pieces(example, getattr(dataset, part))]
    shards: dict[str, list[Shard]] = {"train": [], "validation": []}
    for done, (part, piece) in enumerate(plan):
        on_progress(done, len(plan))
        shards[part].append(_add(runs, example, piece))
    on_progress(len(plan), len(plan))
    body = specs.encode(_with_shards(document, shards))
    weights = initial_weights(specs.parse(body).weights, random)
    return runs.start(name, document.get("title", name), document.get("description", ""), body, weights)


def pieces(example: tuple[TensorSpec, TensorSpec], split: Split) -> Iterator[Split]:
    """The split in shards of at most `SHARD_BYTES` and of nearly equal size."""
    per_shard = max(1, SHARD_BYTES // sum(spec.bytes for spec in example))
    count = max(-(-len(split.inputs) // per_shard), min(4, len(split.inputs)))
    for rows in np.array_split(np.arange(len(split.inputs)), count):
        yield Split(split.inputs[rows], split.targets[rows])


def _add(runs: Runs, example: tuple[TensorSpec, TensorSpec], piece: Split) -> Shard:
    count = len(piece.inputs)
    batch = [msgspec.structs.replace(spec, shape=(count, *spec.shape)) for spec in example]
    body = encode_tensors(batch, {batch[0].name: piece.inputs, batch[1].name: piece.targets})
    return Shard(runs.add_shard(body), len(body), count)


def _example(document: Mapping[str, Any]) -> tuple[TensorSpec, TensorSpec]:
    try:
        found = msgspec.convert(document["data"], type=dict[str, list[TensorSpec]])
        (first,), (second,) = found["inputs"], found["targets"]
    except (KeyError, ValueError, msgspec.ValidationError) as error:
        raise Invalid(f"`data` must describe one input and one target: {error}") from error
    return first, second


def _with_shards(document: Mapping[str, Any], shards: Mapping[str, list[Shard]]) -> dict[str, Any]:
    return {**document, "data": {**document["data"], **shards}}
