"""`webnn.Client`: takes part in a run until the run is over, enough is done, or somebody says stop.

Whatever goes wrong on the way (the machine sleeps, the network goes, tokens and URLs expire, the server is down) the
client gets over by itself, as pages do; it gives up only when there is no such run (any more), or when
it cannot train its model.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import msgspec
import requests
from msgspec import Struct

from webnn import wiring
from webnn.contributing.api import Api
from webnn.contributing.cycle import Cycle, Own
from webnn.contributing.faults import NotUnderstood, Verdict, verdict_on
from webnn.contributing.http import Call, Http
from webnn.contributing.time import Left, Throttle, Time
from webnn.errors import Invalid, Missing, Unavailable, WebnnError
from webnn.simulate.learner import MakeLearner

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
PUZZLED_AFTER = 3  # answers in a row that make no sense: once is chance
TELLING, TOO_MANY = ("bad_spec", "no_backend", "diverged", "trainer"), 3
LONGEST_MESSAGE, LONGEST_DETAIL = 500, 1000
ENDS = ("updates", "seconds", "versions")

Event = dict[str, Any]
OnEvent = Callable[[Event], None]


class Contribution(Struct):
    """What a client has done.

    Attributes:
        reason: Why it stopped, for people.
        finished: Whether the run is over.
        updates: Sent.
        merged: Of these, as far as is known.
        examples: Trained on.
        evaluations: Made.
        version: The newest that it has met.
        seconds: That it took.
        bytes_up: Of bodies, sent.
        bytes_down: Received.
    """

    reason: str = ""
    finished: bool = False
    updates: int = 0
    merged: int = 0
    examples: int = 0
    evaluations: int = 0
    version: int = 0
    seconds: float = 0.0
    bytes_up: int = 0
    bytes_down: int = 0


class Client:
    """A client of a run.

    It trains with numpy where the model is a chain of dense layers that ends in a softmax, and with TensorFlow else
    (the extra `tf`); or with what `learner` makes.
    """

    def __init__(
        self,
        api: str,
        run: str | None = None,
        *,
        data: tuple[Any, Any] | None = None,
        learner: MakeLearner | None = None,
        time: Time | None = None,
    ) -> None:
        """Asks nobody yet, unless `api` is the link of a page.

        Args:
            api: The API's base URL, or without `run` the link by which people join: beside it stands where the API is.
            run: The run's name.
            data: (x, y) of this machine's own, where the run allows that; they stay here.
            learner: Makes what trains, from the run's spec and some examples: see `webnn.simulate.learner.Learner`.
            time: A clock and chance; for tests.

        Raises:
            Invalid: The link names no run, or one of these is no text.
            Unavailable: Nothing answers beside the page.
        """
        for what, given in {"api": api, "run": run}.items():
            if not (isinstance(given, str) and given.strip()) and (what, given) != ("run", None):
                raise Invalid(f"webnn.Client(api, run): {what} is {given!r}, where a text is to be")
        base, name = (api, run) if run is not None else _by_link(api)
        self.run = name
        self._time = time or Time(wiring.elapsed, wiring.chance)
        self._throttle = Throttle(self._time, 100)
        self._http, self._curious = Http(self._time), Http(self._time)
        own = Own(*data) if data is not None else None
        server, curious = (Api(base, name, http) for http in (self._http, self._curious))
        self._cycle = Cycle(server, curious, self._time, self._throttle, self._emit, learner, own)
        self._done = Contribution()
        self._on_event: OnEvent = lambda _: None
        self._until: Mapping[str, float] = {}
        self._began = 0.0
        self._riddles = 0
        self._complained = False

    def contribute(
        self, *, power: float = 100, until: Mapping[str, float] | None = None, on_event: OnEvent | None = None
    ) -> Contribution:
        """Takes part, in this thread, until the run is over; what was done. A client contributes once.

        Args:
            power: Percent of the time that training may take, 1 to 100.
            until: Leaves earlier: after so many `updates` or `seconds`, or at a head of so many `versions`.
            on_event: Is told of everything, from more than one thread: a dict with `type` and what belongs to it.

        Raises:
            Missing: There is no such run, or this takes TensorFlow, which is not installed.
            Invalid: The run's model cannot be trained here.
        """
        if unknown := sorted(set(until or {}) - set(ENDS)):
            raise Invalid(f"until has no {unknown[0]!r}; it has {', '.join(ENDS)}")
        self._until, self._on_event = until or {}, on_event or self._on_event
        self._throttle.set_power(power)
        self._began = self._time.now()
        try:
            self._done.reason, self._done.finished = self._live()
        finally:
            self._time.leave()
            self._cycle.curiosity.close()
            self._http.close()
            self._curious.close()
        self._tally()
        self._emit("stopped", {"reason": self._done.reason})
        return self._done

    def events(self, *, power: float = 100, until: Mapping[str, float] | None = None) -> Iterator[Event]:
        """As `contribute`, in a thread of its own: what happens, as it happens. Closed, it leaves the run."""
        told: SimpleQueue[Event | BaseException | None] = SimpleQueue()

        def work() -> None:
            try:
                self.contribute(power=power, until=until, on_event=told.put)
            except BaseException as error:  # passed on to whoever goes through the events
                told.put(error)
            told.put(None)

        thread = Thread(target=work, daemon=True)
        thread.start()
        try:
            while (found := told.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                yield found
        finally:
            self.stop()
            thread.join()

    def pause(self) -> None:
        """Holds after the current step, until `resume`. From any thread."""
        if not self._time.is_shut:
            self._time.shut()
            self._emit("paused", {})

    def resume(self) -> None:
        """Goes on after a pause. From any thread."""
        if self._time.is_shut:
            self._time.reopen()
            self._emit("resumed", {})

    def stop(self) -> None:
        """Leaves the run; what is being asked of the server at this moment is waited for. From any thread."""
        self._time.leave()

    def set_power(self, power: float) -> None:
        """Percent of the time that training may take from now on."""
        self._throttle.set_power(power)

    def _live(self) -> tuple[str, bool]:
        """Turns the cycle until the run is over; why it ends, and whether the run does."""
        failures = 0
        while True:
            try:
                self._time.gate()
                if reason := self._enough():
                    return reason, False
                if (over := self._cycle.turn()) is not None:
                    return over, True
                failures = self._riddles = 0
            except Left:
                return "left", False
            except Exception as error:  # whatever a learner may raise
                failures += 1
                self._get_over(error, failures)

    def _enough(self) -> str | None:
        now = {"updates": self._done.updates, "seconds": self._time.now() - self._began, "versions": self._done.version}
        reached = next((name for name, most in self._until.items() if now[name] >= most), None)
        return None if reached is None else f"{self._until[reached]:g} {reached}, as was wished"

    def _get_over(self, error: Exception, failures: int) -> None:
        """Tells, mends what can be mended, and waits. Raises the error when there is no getting over it."""
        verdict = verdict_on(error, member=self._cycle.token is not None)
        message = verdict.message
        if self._is_puzzled(error):
            message += ": this client may be older than the server"
        # When the world has only moved on, nothing is broken: try again at once, and say so only if that does not help.
        at_once = failures == 1 and verdict.moved_on
        if not at_once:
            told = {"code": verdict.code, "message": message, "fatal": verdict.fatal}
            self._emit("error", told | ({"detail": verdict.detail} if verdict.detail else {}))
        self._complain(verdict, failures)
        if verdict.fatal:
            raise _final(error, verdict)
        if verdict.forgotten:
            self._cycle.forget_membership()
        if verdict.spoilt:
            self._cycle.forget_training()
        if not at_once:
            pause = self._time.backoff(failures, FIRST_PAUSE, LONGEST_PAUSE)
            self._emit("waiting", {"seconds": pause, "reason": message})
            with suppress(Left):
                self._time.sleep(pause)

    def _is_puzzled(self, error: Exception) -> bool:
        self._riddles = self._riddles + 1 if isinstance(error, NotUnderstood) else 0
        return self._riddles >= PUZZLED_AFTER

    def _complain(self, verdict: Verdict, failures: int) -> None:
        """Tells the run's owner that this client cannot train: who else would? Once, and whatever becomes of it."""
        worth = verdict.code in TELLING and (verdict.fatal or failures >= TOO_MANY)
        if self._complained or self._cycle.token is None or not worth:
            return
        self._complained = True
        report = {
            "code": verdict.code,
            "message": verdict.message[:LONGEST_MESSAGE] or verdict.code,
            "backend": "python",
        }
        with suppress(WebnnError, Left):
            self._cycle.complain({**report, "detail": verdict.detail[:LONGEST_DETAIL]})

    def _emit(self, kind: str, told: Event) -> None:
        done = self._done
        if kind == "uploaded":
            done.updates, done.examples = done.updates + 1, done.examples + int(told["examples"])
        done.merged += kind == "settled" and told["state"] == "merged"
        done.evaluations += kind == "evaluated"
        if isinstance(told.get("version"), int):
            done.version = max(done.version, told["version"])
        self._on_event({"type": kind, **told})

    def _tally(self) -> None:
        self._done.seconds = self._time.now() - self._began
        self._done.bytes_up = self._http.up + self._curious.up
        self._done.bytes_down = self._http.down + self._curious.down


def _final(error: Exception, verdict: Verdict) -> Exception:
    """As a caller of this package knows errors."""
    if verdict.code == "missing":
        return Missing(verdict.message)
    return error if isinstance(error, Invalid | Missing) else Invalid(verdict.message)


def _by_link(link: str) -> tuple[str, str]:
    """The API and the run that a page's link leads to."""
    names = parse_qs(urlsplit(link).query).get("run", [])
    if not names:
        raise Invalid(f"{link} names no run: give the link that people join by, ending in ?run=NAME, or the run's name")
    http = Http(Time(wiring.elapsed, wiring.chance))
    beside = urljoin(link, "config.json")

    def read(answer: requests.Response) -> str:
        try:
            return str(msgspec.json.decode(answer.content, type=dict[str, Any])["api"])
        except (msgspec.DecodeError, KeyError, UnicodeDecodeError) as error:
            raise Unavailable(f"{beside} does not say where the API is") from error

    try:
        return http.call(Call("GET", beside), read), names[0]
    finally:
        http.close()
