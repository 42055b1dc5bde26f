"""Back-pressure: with more updates waiting than a run's limit, clients are asked to come back later.

Counting is what a long backlog would make dear: up to a limit of 1,000 it reads some 900 KB of rows. So one function
counts a run once in a few seconds, however many clients ask, and never beyond the limit. Nothing that was announced is
refused.
"""

import zlib
from collections.abc import Callable

from msgspec import Struct

from webnn.store.ports import Catalog

# For how long a count is believed: briefly below the limit, for as long as clients are sent away above it.
FRESH_MILLISECONDS = 1_000
WAIT_MILLISECONDS = 5_000
KEPT = 128


class _Count(Struct, frozen=True):
    over: bool
    until: int


class Backlog:
    """Knows which runs have too many updates waiting."""

    def __init__(self, catalog: Catalog, clock: Callable[[], int]) -> None:
        """Takes the catalog and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._clock = clock
        self._counts: dict[str, _Count] = {}

    def wait(self, run: str, client_id: str, limit: int) -> float:
        """Seconds that this client is to wait; 0 if there is no need.

        From half to one and a half times the usual, by the client's id: those who are sent away together do not come
        back together.

        Raises:
            Unavailable: The catalog did not answer.
        """
        if not self._over(run, limit):
            return 0.0
        share = zlib.crc32(client_id.encode()) / 2**32
        return round((0.5 + share) * WAIT_MILLISECONDS / 1000, 1)

    def _over(self, run: str, limit: int) -> bool:
        now, known = self._clock(), self._counts.get(run)
        if known is None or known.until <= now:
            over = self._catalog.pending_count(run, limit + 1) > limit
            known = _Count(over, now + (WAIT_MILLISECONDS if over else FRESH_MILLISECONDS))
            while len(self._counts) >= KEPT:
                self._counts.pop(next(iter(self._counts)), None)  # another thread may have been first
            self._counts[run] = known
        return known.over
