"""The way to a store and back: it takes time, and on it anything may happen to a request."""

from collections.abc import Callable
from typing import Any, Protocol

from msgspec import Struct

from webnn.errors import Conflict, Unavailable, WebnnError
from webnn.simulate.timeline import Killed, Timeline

# What a client library waits for an answer, all its repetitions together.
PATIENCE_MILLISECONDS = 20_000


class Fate(Struct, frozen=True):
    """What happens to one request. By default it arrives, and so does its answer.

    Attributes:
        there: Milliseconds to the store.
        back: Milliseconds back.
        kills: The caller dies: "before" the store acts or "after" it.
        loses: "request" or "answer"; the caller waits in vain.
        late: Milliseconds after which a lost request arrives after all.
        twice: Milliseconds after which the request arrives once more, whatever came of the first.
        refused: The store refuses for no reason that the caller could see: a lock held at this moment, another
            conditional write under way.
    """

    there: int = 0
    back: int = 0
    kills: str = ""
    loses: str = ""
    late: int | None = None
    twice: int | None = None
    refused: bool = False


class Weather(Protocol):
    """Decides over fates."""

    def __call__(self, method: str, arguments: tuple[Any, ...]) -> Fate:
        """The fate of a request to call this method of a store."""
        ...


class Remote:
    """A store at the other end of a network: every method can be called by an actor, and takes its time."""

    def __init__(self, inner: Any, timeline: Timeline, weather: Weather) -> None:
        """Takes a store that answers at once, and what is between."""
        self._inner = inner
        self._timeline = timeline
        self._weather = weather

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The method, at a distance."""
        method = getattr(self._inner, name)

        def call(*arguments: Any, **named: Any) -> Any:
            fate = self._weather(name, arguments)
            self._timeline.sleep(fate.there)
            return self._met(fate, lambda: method(*arguments, **named))

        return call

    def _met(self, fate: Fate, act: Callable[[], Any]) -> Any:
        if fate.kills == "before":
            self._die()
        if fate.refused:
            raise Conflict("refused for the moment")
        if fate.loses == "request":
            self._lose(act, fate.late)
        if fate.twice is not None:
            self._again(act, fate.twice)
        answer = _answer(act)
        if fate.kills == "after":
            self._die()
        if fate.loses == "answer":
            self._lose(act, None)
        self._timeline.sleep(fate.back)
        return answer()

    def _lose(self, act: Callable[[], Any], late: int | None) -> None:
        if late is not None:
            self._again(act, late)
        self._timeline.sleep(PATIENCE_MILLISECONDS)
        raise Unavailable("no answer")

    def _again(self, act: Callable[[], Any], delay: int) -> None:
        def land() -> None:
            _answer(act)  # to nobody

        self._timeline.after(delay, land)

    def _die(self) -> None:
        actor = self._timeline.actor()
        if actor is not None:
            actor.killed = True
        raise Killed


def _answer(act: Callable[[], Any]) -> Callable[[], Any]:
    """What the store says: a value or one of our errors, to be given or raised where it arrives."""
    try:
        found = act()
    except WebnnError as error:
        return _raises(error)
    return lambda: found


def _raises(error: WebnnError) -> Callable[[], Any]:
    def refuse() -> Any:
        raise error

    return refuse
