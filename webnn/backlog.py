"""Back-pressure: with more updates waiting than a run's limit, clients are asked to come back later.

Sending clients away must cost the run next to nothing, or those who wait would take the capacity that merging needs
(bench/scaling.py shows it: 3,000 clients whose every question wrote a row brought a run to a standstill). So one
function counts once in a few seconds, never beyond the limit, and answers everybody else from memory. And it sends
away no more clients a second than it should: the more come, the longer each is to wait. Nothing that was announced is
refused.
"""

import zlib
from collections import Counter
from collections.abc import Callable

from msgspec import Struct, field

from webnn.store.ports import Catalog

# For how long a count is believed: briefly below the limit, for as long as clients are sent away above it.
FRESH_MILLISECONDS = 1_000
WINDOW_MILLISECONDS = 5_000

# How long clients are sent away for, and how many a second one function is to see again of them.
SHORTEST_SECONDS, LONGEST_SECONDS = 5.0, 120.0
RETURNING = 5.0

KEPT = 1000
# Who does as it is told asks at most twice in a window. More questions than these make nobody wait longer.
QUESTIONS = 2


class _Window(Struct):
    """What a function knows of a run for a while, and how many it has sent away in it."""

    over: bool
    until: int
    seconds: float = SHORTEST_SECONDS
    sent_away: Counter[str] = field(default_factory=Counter)


class Backlog:
    """Knows which runs have too many updates waiting."""

    def __init__(self, catalog: Catalog, clock: Callable[[], int]) -> None:
        """Takes the catalog and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def known(self, run: str, client_id: str) -> float:
        """Seconds that this client is to wait by what is known without asking; 0 if nothing is."""
        window = self._windows.get(run)
        if window is None or not window.over or window.until <= self._clock():
            return 0.0
        return _sent_away(window, client_id)

    def wait(self, run: str, client_id: str, limit: int) -> float:
        """Seconds that this client is to wait; 0 if there is no need.

        From half to one and a half times what all others get, by the client's id: those who are sent away together do
        not come back together.

        Raises:
            Unavailable: The catalog did not answer.
        """
        window, now = self._windows.get(run), self._clock()
        if window is None or window.until <= now:
            window = self._counted(run, limit, now, window)
        return _sent_away(window, client_id) if window.over else 0.0

    def _counted(self, run: str, limit: int, now: int, before: _Window | None) -> _Window:
        over = self._catalog.pending_count(run, limit + 1) > limit
        seconds = _longer(before) if before is not None and before.over else SHORTEST_SECONDS
        while len(self._windows) >= KEPT:
            self._windows.pop(next(iter(self._windows)), None)  # another thread may have been first
        self._windows[run] = _Window(over, now + (WINDOW_MILLISECONDS if over else FRESH_MILLISECONDS), seconds)
        return self._windows[run]


def _longer(before: _Window) -> float:
    """What makes as many come back as wanted, if as many wait as the window before showed."""
    coming_back = before.sent_away.total() * 1000 / WINDOW_MILLISECONDS
    return min(LONGEST_SECONDS, max(SHORTEST_SECONDS, before.seconds * coming_back / RETURNING))


def _sent_away(window: _Window, client_id: str) -> float:
    if window.sent_away[client_id] < QUESTIONS:
        window.sent_away[client_id] += 1
    share = zlib.crc32(client_id.encode()) / 2**32
    return round((0.5 + share) * window.seconds, 1)
