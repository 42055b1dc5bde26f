"""A simulated client: joins, does what it is told, sends what it learnt. Ordinary code that waits in virtual time."""

from typing import Protocol

import numpy as np

from webnn.clients import Stop, Task, Train, Wait
from webnn.core.records import Head
from webnn.core.spec import Shard, Spec
from webnn.core.wire import Array, Vector, encode_vector, sha256
from webnn.errors import Conflict
from webnn.simulate.learner import Learned, Learner, Practice
from webnn.simulate.population import Character, Population, harmed
from webnn.simulate.shuffle import permutation
from webnn.tokens import Member
from webnn.updates import Announcement, Opened


class Gone(Exception):  # no error: the client closed its page
    """The client is gone, and what it was doing with it."""


class Site(Protocol):
    """What a client finds outside itself. Times are in units of one mini-batch on a client of speed 1."""

    @property
    def population(self) -> Population:
        """What it is one of."""
        ...

    @property
    def learner(self) -> Learner:
        """What learns in its stead."""
        ...

    def time(self) -> float:
        """Since the beginning."""
        ...

    def sleep(self, units: float) -> None:
        """Lets time pass."""
        ...

    def join(self) -> Member:
        """`POST clients`."""
        ...

    def task(self, member: Member) -> Task:
        """`POST tasks`."""
        ...

    def announce(self, member: Member, announcement: Announcement) -> Opened:
        """`POST updates`."""
        ...

    def upload(self, opened: Opened, body: bytes) -> None:
        """To where the ticket says; that rings."""
        ...

    def weights(self, head: Head) -> Vector:
        """A checkpoint, float32 [parameters]."""
        ...

    def examples(self, shard: Shard) -> tuple[Array, Array]:
        """Inputs and targets of a shard."""
        ...

    def all_examples(self) -> tuple[Array, Array]:
        """Inputs and targets of all of them, for who has data of its own."""
        ...

    def moved(self, up: int = 0, down: int = 0) -> None:
        """Counts bytes."""
        ...


class Volunteer:
    """One client."""

    def __init__(self, site: Site, character: Character, chance: np.random.Generator) -> None:
        """Takes its surroundings, who it is, and its own chance."""
        self._site = site
        self._character = character
        self._chance = chance
        self._memory = site.learner.fresh()
        self._kept: set[str] = set()  # shards, by their hash
        self._checkpoint = ""
        self._passes = 0

    def live(self) -> None:
        """Until the run is over or the client leaves."""
        member = self._site.join()
        while True:
            task = self._site.task(member)
            if isinstance(task, Stop):
                return
            if isinstance(task, Train):
                self._train(task, member)
            else:
                self._wait(task.seconds if isinstance(task, Wait) else 1.0)

    def _train(self, task: Train, member: Member) -> None:
        training = task.spec.training
        self._load(task)
        base = self._site.weights(task.head)
        inputs, targets = self._batches(task)
        practice = Practice(training.optimizer, training.rate)
        learned = self._site.learner.train(base, self._memory, inputs, targets, practice)
        self._wait(training.local_steps / self._character.speed)
        self._memory = learned.memory
        self._send(task, member, learned, harmed(self._character.attack, learned.weights - base, self._chance))

    def _load(self, task: Train) -> None:
        """What it does not have yet."""
        down = 0 if task.head.sha256 == self._checkpoint else task.head.bytes
        self._checkpoint = task.head.sha256
        if self._character.examples is None and task.shard.sha256 not in self._kept:
            self._kept.add(task.shard.sha256)
            down += task.shard.bytes
        self._site.moved(down=down)
        self._transfer(down)

    def _batches(self, task: Train) -> tuple[Array, Array]:
        """[steps, batch, ...] of the examples that it was told to take, or of its own."""
        steps, size = task.spec.training.local_steps, task.spec.training.batch_size
        if self._character.examples is None:
            inputs, targets = self._site.examples(task.shard)
            places = (task.offset + np.arange(steps * size)) % len(inputs)
            rows = permutation(task.seed, len(inputs))[places]
        else:
            inputs, targets = self._site.all_examples()
            rows = self._chance.choice(self._character.examples, steps * size)
        labels = targets[rows]
        if self._character.attack == "label_flip":
            labels = targets.max() - labels
        return inputs[rows].reshape(steps, size, *inputs.shape[1:]), labels.reshape(steps, size, *targets.shape[1:])

    def _send(self, task: Train, member: Member, learned: Learned, delta: Vector) -> None:
        body, spec = encode_vector(delta), task.spec
        try:
            opened = self._site.announce(member, _announcement(spec, task.head, learned, body))
        except Conflict:  # the run was finished or rolled back meanwhile; the next task will tell
            return
        if self._chance.random() < self._site.population.failures:
            return
        self._transfer(len(body))
        self._site.moved(up=len(body))
        self._site.upload(opened, body)

    def _transfer(self, count: int) -> None:
        if count:
            population = self._site.population
            self._wait(population.latency + (count / population.bandwidth if population.bandwidth else 0.0))

    def _wait(self, units: float) -> None:
        """Lets time pass, unless the client leaves before."""
        leaves = self._character.leaves
        left = None if leaves is None else leaves - self._site.time()
        if left is not None and left < units:
            self._site.sleep(max(left, 0.0))
            raise Gone
        if units > 0:
            self._site.sleep(units)


def _announcement(spec: Spec, head: Head, learned: Learned, body: bytes) -> Announcement:
    steps = spec.training.local_steps
    return Announcement(
        base_version=head.version,
        generation=head.generation,
        local_steps=steps,
        examples=steps * spec.training.batch_size,
        bytes=len(body),
        sha256=sha256(body),
        encoding="float32",
        loss=learned.loss,
    )
