"""Things that go wrong around a store's calls: the real store in the middle, the fault before or after it."""

from collections.abc import Callable
from typing import Any

from samples import World, a_world

from webnn.core.records import Update
from webnn.errors import Unavailable

Hook = Callable[[str], None]


class Crash(BaseException):
    """The function is gone. Nothing catches this but the test."""


class Faulty:
    """A store around whose calls something happens: each hook is told the method's name and may raise."""

    def __init__(self, inner: Any, *, before: Hook | None = None, after: Hook | None = None) -> None:
        self._inner = inner
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._inner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            if self._before:
                self._before(name)
            result = method(*args, **kwargs)
            if self._after:
                self._after(name)
            return result

        return call


class Only(Faulty):
    """A catalog in which nothing is pending but these."""

    def __init__(self, inner: Any, *updates: Update) -> None:
        super().__init__(inner)
        self._only = list(updates)

    def pending(self, run: str, limit: int, after: str = "") -> list[Update]:
        found = self._inner.pending(run, limit, after=after)
        return [update for update in found if update in self._only]


def once(method: str, action: Callable[[], None]) -> Hook:
    """Does something at the first call of a method, and lets all others be."""
    waiting = [action]

    def hook(name: str) -> None:
        if name == method and waiting:
            waiting.pop()()

    return hook


def lost() -> None:
    raise Unavailable("the answer was lost")


def crash() -> None:
    raise Crash


class Heedless(Faulty):
    """A catalog that tells no merger of the others: each has the turn. What protects then is the commit alone."""

    def merge_lease(self, run: str) -> None:
        return None

    def claim_merging(self, lease: Any, previous: Any) -> None:
        return None


def around(world: World, *, catalog: Any = None, blobs: Any = None) -> World:
    """The same run seen by another function, through stores of its own, which heeds no turns."""
    catalog = Heedless(catalog or world.catalog)
    return a_world(catalog, blobs or world.blobs, clock=world.clock, ids=world.ids, name=world.name)
