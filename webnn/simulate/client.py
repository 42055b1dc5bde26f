"""A simulated client: joins, does what it is told, sends what it learnt. Ordinary code that waits in virtual time."""

from typing import Protocol

import numpy as np

from webnn.clients import Stop, Task, Train, Wait
from webnn.core.records import Head
from webnn.core.spec import Shard
from webnn.core.wire import Array, Vector, encode_vector, sha256
from webnn.errors import Conflict
from webnn.simulate.learner import Learner, Practice
from webnn.simulate.peer import Company, Peer
from webnn.simulate.population import Character, Population, harmed
from webnn.simulate.shuffle import permutation
from webnn.tokens import Member
from webnn.updates import Announcement, Opened

EVALUATING = 1 / 3  # of the time that training takes: one pass forward instead of that, and one back twice as long


class Gone(Exception):  # no error: the client closed its page
    """The client is gone, and what it was doing with it."""


class Site(Company, Protocol):
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

    def validated(self, weights: Vector, shard: Shard) -> float:
        """The accuracy of weights on a shard of the validation set."""
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
        self._peer = Peer(site)
        self._leaves: float | None = None

    def live(self) -> None:
        """Until the run is over or the client leaves."""
        stays = self._character.stays
        self._leaves = None if stays is None else self._site.time() + stays
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
        training, peer = task.spec.training, task.genesis is not None
        self._load(task)
        start = self._peer.start(task, self._site.weights) if peer else self._site.weights(task.head)
        inputs, targets = self._batches(task)
        practice = Practice(training.optimizer, training.rate_at(task.head.version))
        learned = self._site.learner.train(start, self._memory, inputs, targets, practice)
        self._wait(training.local_steps / self._character.speed)
        self._memory = learned.memory
        accuracy, steps = self._validated(task, learned.weights), training.local_steps
        if peer:
            steps = self._peer.trained(learned.weights, steps, accuracy)
        delta = learned.weights - (self._site.genesis() if peer else start)
        body = encode_vector(harmed(self._character.attack, delta, self._chance))
        sent = self._send(task, member, body, _announcement(task, learned.loss, accuracy, steps, body))
        if peer and sent is not None:
            self._meet(task, member, sent)

    def _validated(self, task: Train, weights: Vector) -> float | None:
        """The accuracy on its validation shard, if it was told to look."""
        if task.validation is None:
            return None
        batches = task.validation.examples / task.spec.training.batch_size
        self._wait(batches * EVALUATING / self._character.speed)
        return self._site.validated(weights, task.validation)

    def _meet(self, task: Train, member: Member, update_id: str) -> None:
        down = self._peer.meet(task, member, update_id)
        self._site.moved(down=down)
        self._transfer(down)

    def _load(self, task: Train) -> None:
        """What it does not have yet."""
        down = 0 if task.head.sha256 == self._checkpoint or self._peer.goes_on(task) else task.head.bytes
        self._checkpoint = task.head.sha256
        if task.genesis is not None and not self._peer.goes_on(task):
            down += task.head.bytes  # the genesis
        shard = _shard(task)
        if self._character.examples is None and shard.sha256 not in self._kept:
            self._kept.add(shard.sha256)
            down += shard.bytes
        self._site.moved(down=down)
        self._transfer(down)

    def _batches(self, task: Train) -> tuple[Array, Array]:
        """[steps, batch, ...] of the examples that it was told to take, or of its own."""
        steps, size = task.spec.training.local_steps, task.spec.training.batch_size
        if self._character.examples is None:
            inputs, targets = self._site.examples(_shard(task))
            places = (task.offset + np.arange(steps * size)) % len(inputs)
            rows = permutation(task.seed, len(inputs))[places]
        else:
            inputs, targets = self._site.all_examples()
            rows = self._chance.choice(self._character.examples, steps * size)
        labels = targets[rows]
        if self._character.attack == "label_flip":
            labels = targets.max() - labels
        return inputs[rows].reshape(steps, size, *inputs.shape[1:]), labels.reshape(steps, size, *targets.shape[1:])

    def _send(self, task: Train, member: Member, body: bytes, announcement: Announcement) -> str | None:
        """The id of the update, if it was uploaded."""
        try:
            opened = self._site.announce(member, announcement)
        except Conflict:  # the run was finished or rolled back meanwhile; the next task will tell
            return None
        if self._chance.random() < self._site.population.failures:
            return None
        self._transfer(len(body))
        self._site.moved(up=len(body))
        self._site.upload(opened, body)
        return opened.update_id

    def _transfer(self, count: int) -> None:
        if count:
            population = self._site.population
            self._wait(population.latency + (count / population.bandwidth if population.bandwidth else 0.0))

    def _wait(self, units: float) -> None:
        """Lets time pass, unless the client leaves before."""
        left = None if self._leaves is None else self._leaves - self._site.time()
        if left is not None and left < units:
            self._site.sleep(max(left, 0.0))
            raise Gone
        if units > 0:
            self._site.sleep(units)


def _shard(task: Train) -> Shard:
    assert task.shard is not None  # noqa: S101  # by `Simulation`: who has what data, the population says
    return task.shard


def _announcement(task: Train, loss: float, accuracy: float | None, steps: int, body: bytes) -> Announcement:
    training = task.spec.training
    return Announcement(
        base_version=task.head.version if task.genesis is None else task.genesis.version,
        generation=task.head.generation,
        local_steps=steps,
        examples=training.local_steps * training.batch_size,
        bytes=len(body),
        sha256=sha256(body),
        encoding="float32",
        loss=loss,
        accuracy=accuracy,
    )
