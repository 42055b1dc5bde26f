"""The main job on this machine: a stage, a run of digits, clients that train it, and somebody watching."""

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from webnn.core.records import Status
from webnn.cutting import of_dataset
from webnn.datasets import Dataset, digits, mnist
from webnn.errors import Invalid
from webnn.local.speakers import Speaker
from webnn.local.stage import CHECKOUT, WEB, LocalStage, local_stage
from webnn.local.volunteers import kind_of_clients, volunteers
from webnn.publish import publish
from webnn.runs import History

LOOK_SECONDS = 0.5
RATE_SECONDS = 60.0
SEED = 20180504
FAREWELL_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Options:
    """What to run.

    Attributes:
        clients: How many clients to start.
        until: The accuracy, on the whole test set, at which to stop.
        data: Folder with MNIST's four files; None for the digits that scikit-learn ships.
    """

    clients: int
    until: float
    data: Path | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is.

    Attributes:
        accuracy: The newest, on the whole test set; None before the first evaluation.
        updates_per_second: Over the last minute, or the run's age if that is less.
        trouble: What last went wrong, if no version has come since.
    """

    accuracy: float | None
    loss: float | None
    version: int
    clients: int
    updates_per_second: float
    seconds: float
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended. `version` is the one that has this accuracy; bytes are those of the clients started here."""

    run: str
    accuracy: float | None
    version: int
    updates: int
    clients: int
    seconds: float
    bytes_up: int
    bytes_down: int


@dataclass(frozen=True, slots=True)
class Show:
    """Whom to tell: of each step of the set-up; of stage, run and kind of clients once it runs; of progress."""

    step: Callable[[str], None]
    ready: Callable[[LocalStage, str, str], None]
    progress: Callable[[Progress], None]


class Watch:
    """Follows a run by its history, and knows what to tell."""

    def __init__(self, stage: LocalStage, run: str, clock: Callable[[], float]) -> None:
        """Takes the stage, the run's name and a clock in seconds; the run begins now."""
        self._stage = stage
        self._run = run
        self._clock = clock
        self._began = clock()
        self._commits: list[tuple[float, int]] = []
        self._after = 0
        self._accuracy: float | None = None
        self._loss: float | None = None
        self._version = 0
        self._most_clients = 0
        self._trouble: str | None = None
        self._ended: float | None = None

    def look(self, trouble: str | None) -> tuple[Progress, bool]:
        """The progress, and whether the run is over. `trouble` is what went wrong since the last look."""
        history = self._stage.services.runs.history(self._run, self._after)
        self._take(history)
        now = self._clock()
        recent = [(at, n) for at, n in self._commits if now - at <= RATE_SECONDS]
        rate = sum(n for _, n in recent) / min(RATE_SECONDS, max(now - self._began, 1.0))
        self._trouble = trouble or (None if history.commits else self._trouble)
        progress = Progress(
            accuracy=self._accuracy,
            loss=self._loss,
            version=history.head.version,
            clients=history.clients,
            updates_per_second=rate,
            seconds=now - self._began,
            trouble=self._trouble,
        )
        over = history.head.status is Status.FINISHED
        if over:
            self._ended = now
        return progress, over

    def _take(self, history: History) -> None:
        now = self._clock()
        for entry in history.commits:
            self._commits.append((now, entry.version - entry.from_version))
            self._after = max(self._after, entry.version)
        self._most_clients = max(self._most_clients, history.clients)
        newest = self._stage.services.catalog.latest_evaluation(self._run)
        if newest is not None:
            self._accuracy, self._loss, self._version = newest.accuracy, newest.loss, newest.version

    def result(self, clients: list[Speaker]) -> Result:
        """How it ended."""
        head = self._stage.services.catalog.head(self._run)
        return Result(
            run=self._run,
            accuracy=self._accuracy,
            version=self._version,
            updates=head.version,
            clients=self._most_clients,
            seconds=round((self._ended or self._clock()) - self._began, 1),
            bytes_up=sum(one.bytes_up for one in clients),
            bytes_down=sum(one.bytes_down for one in clients),
        )


def demo(options: Options, show: Show) -> Result:
    """Runs until the accuracy is reached, or until Ctrl-C; leaves nothing running either way.

    Raises:
        Invalid: The options make no sense.
        Missing: Something is not installed; the message says what and how.
        Unavailable: A part ended on its own; `details["log"]` has its last words.
    """
    if not 0.0 < options.until <= 1.0 or options.clients < 0:
        raise Invalid("--until is an accuracy in (0, 1], --clients a number from 0")
    show.step("reading the data")
    random = np.random.default_rng(SEED)
    dataset = mnist(options.data, random) if options.data else digits(random)
    with local_stage(show.step) as stage:
        show.step("cutting shards")
        run = _publish(stage, options, dataset, random)
        show.ready(stage, run, kind_of_clients())
        with volunteers(options.clients, stage.page, stage.api, run, WEB) as clients:
            return _follow(stage, run, clients, show)


def _follow(stage: LocalStage, run: str, clients: list[Speaker], show: Show) -> Result:
    watch = Watch(stage, run, time.monotonic)
    try:
        over = False
        while not over:
            time.sleep(LOOK_SECONDS)
            progress, over = watch.look(_listen([*stage.handlers, *clients]))
            show.progress(progress)
        _farewell(clients)
    except KeyboardInterrupt:
        pass
    return watch.result(clients)


def _listen(speakers: list[Speaker]) -> str | None:
    """The newest trouble of one of them."""
    for one in speakers:
        one.listen()
    return next((trouble for one in speakers if (trouble := one.asked())), None)


def _farewell(clients: list[Speaker]) -> None:
    """Lets the clients hear that the run is over and say how many bytes they moved."""
    end = time.monotonic() + FAREWELL_SECONDS
    while time.monotonic() < end and any(one.process.process.poll() is None for one in clients):
        for one in clients:
            one.listen()
        time.sleep(LOOK_SECONDS)


def _publish(stage: LocalStage, options: Options, dataset: Dataset, random: np.random.Generator) -> str:
    name = "mnist" if options.data else "digits"
    document: dict[str, Any] = json.loads((CHECKOUT / "examples" / name / "spec.json").read_text())
    document["end"] = {"accuracy": options.until}
    publish(stage.services.runs, name, document, of_dataset(document, dataset), random)
    return name


def as_json(result: Result) -> str:
    """The result on one line."""
    return json.dumps(asdict(result))
