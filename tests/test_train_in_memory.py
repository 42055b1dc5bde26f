"""A whole training run, from data to an accuracy, with nothing but memory under it.

Read it as a description of how the parts go together: `publish` makes a run of a data set, volunteers do what
`POST /runs/{run}/tasks` tells them, the committer merges what they upload. The volunteer here is softmax regression
in numpy, which is what the spec below describes; a browser would build the model from the spec instead.
"""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import World, a_world

from webnn.clients import Evaluate, Stop, Train
from webnn.core.records import Status
from webnn.core.spec import Shard, Spec
from webnn.core.wire import Array, Vector, decode_tensors, decode_vector, encode_vector, sha256
from webnn.cutting import of_dataset
from webnn.datasets import digits
from webnn.evaluations import Report
from webnn.publish import publish
from webnn.store import keys
from webnn.store.memory import MemoryBlobs
from webnn.tokens import Member
from webnn.updates import Announcement

SHUFFLES = json.loads((Path(__file__).parent / "golden" / "shuffle.json").read_text())
DOCUMENT: dict[str, Any] = {
    "title": "Digits by softmax regression",
    "modelTopology": {"class_name": "Sequential", "config": {"layers": []}},
    "weightsManifest": [
        {
            "weights": [
                {"name": "digit/kernel", "shape": [64, 10], "dtype": "float32"},
                {"name": "digit/bias", "shape": [10], "dtype": "float32"},
            ]
        }
    ],
    "data": {
        "inputs": [
            {
                "name": "image",
                "shape": [8, 8],
                "dtype": "float32",
                "quantization": {"dtype": "uint8", "min": 0, "scale": 0.0625},
            }
        ],
        "targets": [
            {
                "name": "label",
                "shape": [],
                "dtype": "int32",
                "quantization": {"dtype": "uint8", "min": 0, "scale": 1},
            }
        ],
    },
    "training": {"learning_rate": 0.5, "local_steps": 4, "batch_size": 32},
    "validation": {"every_versions": 8},
    "end": {"accuracy": 0.95},
}


def permutation(seed: int, n: int) -> list[int]:
    """The numbers 0 … n-1 shuffled as `docs/openapi.yaml` defines it."""
    order, chance = list(range(n)), mulberry32(seed)
    for i in range(n - 1, 0, -1):
        j = int(next(chance) * (i + 1))
        order[i], order[j] = order[j], order[i]
    return order


def mulberry32(seed: int) -> Iterator[float]:
    """Numbers in [0, 1)."""
    a = seed
    while True:
        a = (a + 0x6D2B79F5) % 2**32
        t = (a ^ a >> 15) * (a | 1) % 2**32
        t ^= (t + (t ^ t >> 7) * (t | 61)) % 2**32
        yield (t ^ t >> 14) / 2**32


def probabilities(weights: Vector, images: Array) -> Array:
    """Softmax of the images [n, 64] under the weights, [n, 10]."""
    kernel, bias = weights[:640].reshape(64, 10), weights[640:]
    scores = images @ kernel + bias
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def gradient(weights: Vector, images: Array, labels: Array) -> Vector:
    """Of the mean cross-entropy."""
    errors = (probabilities(weights, images) - np.eye(10)[labels]) / len(labels)
    return np.concatenate([(images.T @ errors).ravel(), errors.sum(axis=0)]).astype(np.float32)


@dataclass
class Volunteer:
    """A client that does what it is told, until it is told to stop."""

    world: World
    member: Member = field(init=False)
    stopped: bool = False

    def __post_init__(self) -> None:
        self.member = self.world.services.clients.join(self.world.name)

    def work(self) -> None:
        match self.world.services.clients.next_task(self.member):
            case Train() as task:
                self.train(task)
            case Evaluate() as task:
                self.evaluate(task)
            case Stop():
                self.stopped = True

    def train(self, task: Train) -> None:
        images, labels = self.examples(task.spec, task.shard)
        order, size = permutation(task.seed, len(images)), task.spec.training.batch_size
        base = self.weights(task)
        weights = base.copy()
        for step in range(task.spec.training.local_steps):
            start = task.offset + step * size
            batch = [order[(start + b) % len(order)] for b in range(size)]
            weights -= np.float32(task.spec.training.learning_rate) * gradient(weights, images[batch], labels[batch])
        self.send(task, encode_vector(weights - base))

    def send(self, task: Train, body: bytes) -> None:
        training = task.spec.training
        announcement = Announcement(
            base_version=task.head.version,
            generation=task.head.generation,
            local_steps=training.local_steps,
            examples=training.local_steps * training.batch_size,
            bytes=len(body),
            sha256=sha256(body),
            encoding="float32",
        )
        opened = self.world.services.updates.announce(self.member, announcement)
        self.blobs.upload(opened.ticket, body)

    def evaluate(self, task: Evaluate) -> None:
        """On every example of the validation set."""
        parts = [self.examples(task.spec, shard) for shard in task.spec.data.validation]
        images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
        found = probabilities(self.weights(task), images)
        loss = float(-np.log(found[np.arange(len(labels)), labels]).mean())
        accuracy = float((found.argmax(axis=1) == labels).mean())
        report = Report(task.lease.evaluation_id, task.head.version, loss, accuracy, len(labels))
        self.world.services.evaluations.report(self.member, report)

    def weights(self, task: Train | Evaluate) -> Vector:
        return decode_vector(task.spec.weights, self.blobs.get(task.head.checkpoint_key))

    def examples(self, spec: Spec, shard: Shard) -> tuple[Array, Array]:
        """Images [n, 64] in [0, 1] and labels [n] of a shard."""
        specs = [
            type(tensor)(tensor.name, (shard.examples, *tensor.shape), tensor.dtype, tensor.quantization)
            for tensor in spec.data.example
        ]
        arrays = decode_tensors(specs, self.blobs.get(keys.shard(shard.sha256)))
        return arrays["image"].reshape(-1, 64), arrays["label"]

    @property
    def blobs(self) -> MemoryBlobs:
        assert isinstance(self.world.blobs, MemoryBlobs)
        return self.world.blobs


@pytest.mark.parametrize("golden", SHUFFLES, ids=lambda golden: f"{golden['n']} from {golden['seed']}")
def test_the_shuffle_is_the_documents(golden: dict[str, Any]) -> None:
    assert permutation(golden["seed"], golden["n"]) == golden["order"]


@pytest.mark.parametrize(("rule", "within"), [("delta", 40), ("average", 100), ("weighted", 100)])
def test_four_volunteers_learn_to_read_digits(rule: str, within: int) -> None:
    world = a_world(name="digits")
    document = DOCUMENT | {"merge": {"rule": {"name": rule}}}
    data = digits(np.random.default_rng(7))
    publish(world.services.runs, "digits", document, of_dataset(document, data), np.random.default_rng(8))
    volunteers = [Volunteer(world) for _ in range(4)]

    for turn in itertools.count():
        for volunteer in volunteers:  # all four train from the same head, so three of them come late
            volunteer.work()
        world.drain()
        if all(volunteer.stopped for volunteer in volunteers):
            break
        assert turn < within, f"accuracy {world.catalog.latest_evaluation('digits')} after {turn} turns"

    found = world.services.runs.describe("digits")
    assert found.head.status is Status.FINISHED
    assert found.metrics.accuracy >= 0.95
    assert found.metrics.examples == 360  # the whole validation set
    assert sum(len(entry.updates) for entry in world.services.runs.history("digits", -1).commits) == found.head.version
