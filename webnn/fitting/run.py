"""The handle of a run that `fit` has started: where it stands, what it can be told, and the model that it trains."""

import html
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Literal, Self

from webnn import wiring
from webnn.cli.code import Code
from webnn.cli.watch import looks
from webnn.core.records import Evaluation, Status
from webnn.core.tensors import TensorSpec
from webnn.core.wire import Vector
from webnn.errors import Invalid, Unavailable
from webnn.fitting import models
from webnn.fitting.interrupts import put_off
from webnn.fitting.reaching import Reached
from webnn.fitting.showing import Shown
from webnn.local.stage import STAGE
from webnn.story import Standing, Story, all_evaluations
from webnn.trained import version_of

LOOK_SECONDS, PART_SECONDS = 2.0, 0.25
FAREWELL_SECONDS = 3.0  # in which pages hear that the run is over, before a stage of its own is gone

Which = int | Literal["newest", "best"]
History = dict[str, list[float]]


class Run:
    """A run on some stage, made of a Keras model. Also a context manager, which closes it.

    Attributes:
        name: Of the run.
        stage: Where it is.
        link: The page that people join by.
        qr: The link as a QR code.
    """

    def __init__(
        self, name: str, stage: str, given: Any, specs: tuple[TensorSpec, ...], reached: Reached, stack: ExitStack,
        *, show: bool,
    ) -> None:  # fmt: skip
        """Takes the run's name and stage, the model as it was given, its weights' specs, and what ends with it."""
        self.name, self.stage = name, stage
        self.link = f"{reached.page}?run={name}"
        self.qr = Code(self.link)
        self._model, self._specs = given, specs
        self._reached, self._stack = reached, stack
        self._story = Story(reached.services.catalog, name, wiring.now)
        self._shown = Shown(name, self.qr, local=stage == STAGE, quiet=not show)
        self._kept: dict[Which, Vector] = {}
        self._standing: Standing | None = None
        self._evaluations: list[Evaluation] = []
        self._closed = False

    def status(self) -> Standing:
        """Where the run stands: its status, version, accuracy, clients and so on; after `close`, where it stood then.

        Raises:
            Unavailable: The stage does not answer.
        """
        if self._closed and self._standing is not None:
            return self._standing
        found = self._story.look()
        while found.catching_up:
            found = self._story.look()
        return found

    def wait(self, timeout: float | None = None) -> bool:
        """Shows how the run gets on until it is finished, or for so many seconds. Whether it is finished.

        Ctrl-C, or a notebook's *interrupt*, pauses the run: nothing is lost, `start` goes on.

        Raises:
            Unavailable: A stage that this program brought up has ended.
        """
        if self._closed:
            return self.status().status is Status.FINISHED
        out = wiring.deadline(timeout) if timeout is not None else _never
        finished = False
        try:
            with self._shown.live() as show:
                for standing, note in looks(self._story, LOOK_SECONDS, lambda seconds: self._rested(seconds, out)):
                    show(self._story, standing, note)
                    finished = standing is not None and standing.status is Status.FINISHED
        except KeyboardInterrupt:
            self.pause()
            self._shown.say(f"Paused at version {self.status().version}. Go on with run.start() and run.wait().")
        return finished

    def _rested(self, seconds: float, out: Callable[[], bool]) -> bool:
        """Waits, in parts, so that the end of the time or of the stage is not overslept; whether time is up."""
        over = wiring.deadline(seconds)
        while not (over() or out()):
            self._reached.check()
            time.sleep(PART_SECONDS)
        return out()

    def pause(self) -> None:
        """Hands out no work until `start`. What pages have trained by then is still merged.

        Raises:
            Conflict: The run is finished.
            Unavailable: The stage does not answer.
        """
        self._open().services.control.pause(self.name)

    def start(self) -> None:
        """Goes on after a pause or a stop.

        Raises:
            Conflict: The run has reached the end that it was given.
            Unavailable: The stage does not answer.
        """
        self._open().services.control.start(self.name)

    def stop(self) -> None:
        """Ends the run: pages are told to stop, and what they have not sent is discarded. To lose nothing, pause first.

        Raises:
            Unavailable: The stage does not answer.
        """
        self._open().services.control.finish(self.name)

    def model(self, version: Which = "newest") -> Any:
        """The trained model: of the same Keras as the one that was given, compiled like it, which itself is left alone.

        Args:
            version: "newest" weights; the "best", those of the version with the highest accuracy on the validation data
                (before the first evaluation: the newest); or a version's number. After `close` it is one of the two.

        Raises:
            Missing: There is no such version.
            Unavailable: The stage does not answer, or was closed.
        """
        return models.trained(self._model, self._specs, self._weights(version))

    def _weights(self, version: Which) -> Vector:
        if version in self._kept:
            return self._kept[version]
        number = self._best() if version == "best" else None if version == "newest" else version
        if isinstance(number, str):
            raise Invalid(f'there is no version {number!r}: it is "newest", "best" or a number')
        services = self._open().services
        spec = services.runs.describe(self.name).spec
        return version_of(services.catalog, services.blobs, spec, self.name, number).weights

    def _best(self) -> int | None:
        found = max(self._evaluated(), key=lambda one: one.accuracy, default=None)
        return None if found is None else found.version

    def history(self) -> History:
        """What every evaluation found, as Keras's history has it: lists of `version`, `seconds`, `accuracy`, `loss`.

        Seconds are since the first of them.
        """
        found = self._evaluated()
        return {
            "version": [one.version for one in found],
            "seconds": [(one.at - found[0].at) / 1000 for one in found],
            "accuracy": [one.accuracy for one in found],
            "loss": [one.loss for one in found],
        }

    def _evaluated(self) -> list[Evaluation]:
        return self._evaluations if self._closed else list(all_evaluations(self._open().services.catalog, self.name))

    def close(self) -> None:
        """Keeps what there is, and lets the stage go. One that `fit` brought up on this machine ends, with its runs.

        A run on any other stage goes on, stays paused or stays finished, as it is. To close twice does no harm. Ctrl-C
        while a stage ends makes that no more than shorter.
        """
        if self._closed:
            return
        if self._reached.own is None:
            self._keep_and_let_go(_never)
            return
        with put_off() as pressed:
            self._shown.say("Stopping the stage on this machine…")
            self._keep_and_let_go(pressed)

    def _keep_and_let_go(self, hurried: Callable[[], bool]) -> None:
        try:
            self._standing, self._evaluations = self.status(), self._evaluated()
            for version in ("newest", "best"):
                self._kept[version] = self._weights(version)
            if self._reached.own is not None and self._standing.status is Status.FINISHED:
                _farewell(hurried)
        finally:
            self._closed = True
            self._stack.close()

    def _open(self) -> Reached:
        if self._closed:
            raise Unavailable(f"run {self.name} is closed: it has its newest and its best weights, and its history")
        return self._reached

    def _announce(self) -> None:
        self._shown.link()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<webnn run {self.name} on stage {self.stage}: {self.link}>"

    def _repr_html_(self) -> str:
        try:
            return self._shown.page(self._story, self.status(), None)
        except Unavailable as error:
            return f"{html.escape(repr(self))}<br>{html.escape(error.message)}"


def _farewell(hurried: Callable[[], bool]) -> None:
    over = wiring.deadline(FAREWELL_SECONDS)
    while not (over() or hurried()):
        time.sleep(PART_SECONDS)


def _never() -> bool:
    return False
