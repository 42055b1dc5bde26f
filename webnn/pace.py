"""How fast a run goes at this moment, from its ledger alone."""

from bisect import bisect_left
from collections.abc import Iterator

from msgspec import Struct

from webnn.core.records import Head, LedgerEntry, Status
from webnn.store.ports import Catalog

MINUTE_MILLISECONDS = 60_000
PAGE = 200


class Pace(Struct, frozen=True):
    """How a run moves.

    Attributes:
        committed_at: When the head was made, in milliseconds since 1970.
        updates_per_second: As `per_second` has it; 0 of a finished run.
    """

    committed_at: int
    updates_per_second: float


def per_second(updates: int, began: int, now: int) -> float:
    """Updates a second, of a run that merged so many in the last minute: over that minute, or its age if that is less.

    `began` is when version 0 was made, in milliseconds since 1970. An age is a second at least.
    """
    return 1000 * updates / min(MINUTE_MILLISECONDS, max(1000, now - began))


def pace(catalog: Catalog, head: Head, now: int) -> Pace:
    """The pace of a run with this head: about as many reads as its version has binary digits, or one if it rests.

    And one for each page of what it merged in the last minute.

    Raises:
        Missing: No such run.
        Unavailable: The catalog did not answer.
    """
    committed_at = catalog.ledger_entry(head.run, head.version).at

    def is_late(version: int) -> bool:
        found = catalog.ledger(head.run, version - 1, 1)
        return not found or found[0].at > now - MINUTE_MILLISECONDS

    if head.status is Status.FINISHED or committed_at <= now - MINUTE_MILLISECONDS:
        return Pace(committed_at, 0.0)
    first = bisect_left(range(head.version + 1), True, key=is_late)
    began, updates = 0, 0
    for entry in _since(catalog, head.run, first):
        began = entry.at if entry.version == 0 else began
        updates += len(entry.updates)
    return Pace(committed_at, per_second(updates, began, now))


def _since(catalog: Catalog, run: str, version: int) -> Iterator[LedgerEntry]:
    while page := catalog.ledger(run, version - 1, PAGE):
        yield from page
        version = page[-1].version + 1
