"""How fast a run goes at this moment, from its ledger alone."""

from bisect import bisect_left

from msgspec import Struct

from webnn.core.records import Head
from webnn.store.ports import Catalog

MINUTE_MILLISECONDS = 60_000


class Pace(Struct, frozen=True):
    """How a run moves.

    Attributes:
        committed_at: When the head was made, in milliseconds since 1970.
        updates_per_second: Merged in the last minute, by the second.
    """

    committed_at: int
    updates_per_second: float


def pace(catalog: Catalog, head: Head, now: int) -> Pace:
    """The pace of a run with this head: about as many reads as its version has binary digits, or one if it rests.

    Raises:
        Missing: No such run.
        Unavailable: The catalog did not answer.
    """
    committed_at = catalog.ledger_entry(head.run, head.version).at

    def is_late(version: int) -> bool:
        found = catalog.ledger(head.run, version - 1, 1)
        return not found or found[0].at > now - MINUTE_MILLISECONDS

    if committed_at <= now - MINUTE_MILLISECONDS:
        return Pace(committed_at, 0.0)
    first = bisect_left(range(head.version + 1), True, key=is_late)
    return Pace(committed_at, (head.version + 1 - max(first, 1)) / 60)
