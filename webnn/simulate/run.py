"""One simulated run: the real use cases on memory stores, simulated clients around them, and a clock that jumps."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from msgspec import Struct

from webnn.clients import Evaluate, Task
from webnn.core.ids import make_id
from webnn.core.records import Head, Update
from webnn.core.spec import Shard
from webnn.core.wire import Array, Vector, decode_vector
from webnn.cutting import of_dataset
from webnn.datasets import Dataset
from webnn.evaluations import Report
from webnn.observe import Attempt
from webnn.publish import publish
from webnn.simulate.client import Gone, Volunteer
from webnn.simulate.learner import Evaluated, Learner, MakeLearner
from webnn.simulate.population import Character, Population, characters, successor
from webnn.simulate.timeline import Timeline
from webnn.store import keys
from webnn.store.memory import MemoryBlobs, MemoryCatalog
from webnn.tokens import Member
from webnn.updates import Announcement, Opened
from webnn.wiring import assemble

UNIT = 1000  # milliseconds of the timeline: one mini-batch on a client of speed 1
RUN = "simulated"
SECRET = "s" * 64
NEVER = 10**12
BODIES = 64  # of merged updates that peers may still be given


class Goal(Struct, frozen=True):
    """When to look, and when to stop. Times are in units of one mini-batch on a client of speed 1.

    Attributes:
        target: Accuracy on the whole test set; None: only time ends it.
        limit: The longest.
        every: Time between evaluations. They take no virtual time.
    """

    target: float | None = 0.98
    limit: float = 1000.0
    every: float = 4.0


class Point(Struct, frozen=True, array_like=True):
    """What one evaluation found."""

    time: float
    version: int
    accuracy: float
    loss: float


class Outcome(Struct, frozen=True):
    """How a run went.

    Attributes:
        time: When the target was reached; None if it was not.
        accuracy: At the end.
        updates: Merged.
        staleness: Of each of them.
        refused: How many were rejected or discarded, by the reason.
        curve: All evaluations.
    """

    time: float | None
    accuracy: float
    updates: int
    staleness: list[int]
    bytes_up: int
    bytes_down: int
    curve: list[Point]
    refused: dict[str, int] = {}


class Simulation:
    """A run and all who take part."""

    def __init__(
        self, document: Mapping[str, Any], dataset: Dataset, learner: MakeLearner, population: Population, seed: int
    ) -> None:
        """Starts the run at time 0 with all its clients about to arrive.

        Args:
            document: The run's spec, without shards. It does not end by itself, and clients do not evaluate it.
            dataset: What to train and to validate on.
            learner: Makes what learns.
            population: Whom to draw clients from.
            seed: Of the first weights, and of all chance.

        Raises:
            Invalid: The document makes no spec, or the learner cannot build its model.
        """
        self.population = population
        self._timeline = Timeline(0)
        self._chance = np.random.default_rng(seed)
        self._dataset = dataset
        self._catalog, self._blobs = MemoryCatalog(), MemoryBlobs(self._timeline.clock)
        self._services = assemble(
            self._catalog, self._blobs, SECRET, lambda _: None,
            clock=self._timeline.clock, ids=self._new_id, observe=self._observed,
        )  # fmt: skip
        unending = {**document, "end": {}, "validation": {"every_versions": NEVER}}
        unending["data"] = {**document.get("data", {}), "own": "never"}  # who has what data, the population says
        publish(self._services.runs, RUN, unending, of_dataset(unending, dataset), self._chance)
        spec = self._services.runs.describe(RUN).spec
        self.learner: Learner = learner(spec, dataset)
        self._spec = spec
        self._genesis = self.weights(self._catalog.head(RUN))
        self._rows, self._validation = dict(_rows(spec.data.train)), dict(_rows(spec.data.validation))
        self._settled: list[str] = []
        self._staleness: list[int] = []
        self._refused = Counter[str]()
        self._up = self._down = 0
        self._evaluated: tuple[int, Evaluated] | None = None
        self._answer_first_evaluation()
        for character in characters(population, dataset.train.targets, self._chance):
            self._arrive(character)

    def live(self, goal: Goal) -> Iterator[Point]:
        """Lets time pass until the goal is reached; gives each evaluation as it is made."""
        time = 0.0
        while time < goal.limit:
            time = min(time + goal.every, goal.limit)
            self._timeline.run(round(time * UNIT))
            point = self._look(time)
            yield point
            if goal.target is not None and point.accuracy >= goal.target:
                return

    def outcome(self, goal: Goal, curve: list[Point]) -> Outcome:
        """What `live` came to, having given these points. Whoever is still there is sent home."""
        self._timeline.end()
        last = curve[-1]
        reached = goal.target is not None and last.accuracy >= goal.target
        return Outcome(
            time=last.time if reached else None,
            accuracy=last.accuracy,
            updates=len(self._staleness),
            staleness=self._staleness,
            bytes_up=self._up,
            bytes_down=self._down,
            curve=curve,
            refused=dict(self._refused),
        )

    # What clients find: `webnn.simulate.client.Site`.

    def time(self) -> float:
        """Since the beginning."""
        return self._timeline.now / UNIT

    def sleep(self, units: float) -> None:
        """Lets time pass for whoever calls."""
        self._timeline.sleep(round(units * UNIT))

    def join(self) -> Member:
        """`POST clients`."""
        return self._services.clients.join(RUN)

    def task(self, member: Member) -> Task:
        """`POST tasks`."""
        return self._services.clients.next_task(member)

    def announce(self, member: Member, announcement: Announcement) -> Opened:
        """`POST updates`."""
        return self._services.updates.announce(member, announcement)

    def upload(self, opened: Opened, body: bytes) -> None:
        """Stores the body; the merge function is there after the delay."""
        self._blobs.upload(opened.ticket, body)
        if self.population.merge_delay:
            self._timeline.after(round(self.population.merge_delay * UNIT), self._merge)
        else:
            self._merge()

    def weights(self, head: Head) -> Vector:
        """A checkpoint, float32 [parameters]."""
        return decode_vector(self._spec.weights, self._blobs.get(head.checkpoint_key))

    def examples(self, shard: Shard) -> tuple[Array, Array]:
        """Inputs and targets of a shard: views of the data that it was cut from."""
        rows, train = self._rows[shard.sha256], self._dataset.train
        return train.inputs[rows], train.targets[rows]

    def all_examples(self) -> tuple[Array, Array]:
        """Inputs and targets of all of them."""
        return self._dataset.train.inputs, self._dataset.train.targets

    def validated(self, weights: Vector, shard: Shard) -> float:
        """The accuracy of weights on a shard of the validation set."""
        rows = self._validation[shard.sha256]
        return self.learner.evaluate(weights, np.arange(rows.start, rows.stop)).accuracy

    def genesis(self) -> Vector:
        """The first weights, float32 [parameters]; not to be written to."""
        return self._genesis

    def exchange(self, member: Member, update_id: str) -> Update | None:
        """`POST exchange`."""
        return self._services.peers.exchange(member, update_id)

    def body(self, update: Update) -> bytes:
        """Of an update."""
        return bytes(self._blobs.get(keys.update(RUN, update.update_id)))

    def moved(self, up: int = 0, down: int = 0) -> None:
        """Counts bytes."""
        self._up += up
        self._down += down

    def _merge(self) -> None:
        self._services.committer.drain(RUN, lambda: False)

    def _observed(self, attempt: Attempt) -> None:
        """Counts what was merged, and forgets bodies: a long simulation would keep millions."""
        for update in attempt.commit.settled:
            if update.staleness is not None and update.version is not None:
                self._staleness.append(update.staleness)
            elif update.reason is not None:
                self._refused[update.reason] += 1
        self._forget([keys.update(RUN, update.update_id) for update in attempt.commit.settled])

    def _forget(self, bodies: list[str]) -> None:
        """Deletes them; where peers may still want the newest, those before."""
        self._settled += bodies
        keep = BODIES + 2 * self.population.clients if self._spec.merge.where == "peer" else 0
        cut = max(len(self._settled) - keep, 0)
        self._blobs.delete(self._settled[:cut])
        del self._settled[:cut]

    def _new_id(self) -> str:
        return make_id(self._timeline.now, self._chance.bytes(10))

    def _arrive(self, character: Character) -> None:
        volunteer = Volunteer(self, character, self._chance.spawn(1)[0])

        def live() -> None:
            try:
                volunteer.live()
            except Gone:
                if self.population.replaced:
                    self._arrive(successor(character, self.population, self._chance))

        self._timeline.spawn("client", live, round(character.arrives * UNIT))

    def _look(self, time: float) -> Point:
        head = self._catalog.head(RUN)
        if self._evaluated is None or self._evaluated[0] != head.version:
            self._evaluated = head.version, self.learner.evaluate(self.weights(head))
        found = self._evaluated[1]
        return Point(time, head.version, found.accuracy, found.loss)

    def _answer_first_evaluation(self) -> None:
        """A run asks the first client for one at once; here nobody is to lose time over it."""
        member = self.join()
        task = self.task(member)
        assert isinstance(task, Evaluate)
        found, count = self._look(0.0), self._spec.data.validation_examples
        report = Report(task.lease.evaluation_id, task.head.version, found.loss, found.accuracy, count)
        self._services.evaluations.report(member, report)


def _rows(shards: tuple[Shard, ...]) -> Iterator[tuple[str, slice]]:
    """Where in the training set each shard was cut, by its hash."""
    start = 0
    for shard in shards:
        yield shard.sha256, slice(start, start + shard.examples)
        start += shard.examples


def simulate(simulation: Simulation, goal: Goal, on_point: Callable[[Point], None] = lambda _: None) -> Outcome:
    """Lives a simulation to its goal, telling each evaluation."""
    curve = []
    for point in simulation.live(goal):
        curve.append(point)
        on_point(point)
    return simulation.outcome(goal, curve)
