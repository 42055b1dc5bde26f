"""What everybody may read of a run: the live object and the pages of history beside it. None of it is the truth.

They lie in the site bucket. The live object is replaced again and again, each time from exactly the one that was read,
so that no late writer puts an older one over a newer. Pages never change: to write one again writes the same.
"""

from typing import Protocol

from msgspec import Struct

PREFIX = "live/"


class PublicObject(Struct, frozen=True):
    """An object as it was read.

    Attributes:
        tag: What tells it from any other that was or will be under its key.
    """

    body: bytes
    tag: str


class PublicObjects(Protocol):
    """Small objects that anyone may read. Every method but `address` raises Unavailable when nobody answers."""

    def read(self, key: str) -> PublicObject | None:
        """What is there, and nothing in it if it is damaged; None if nothing is there."""
        ...

    def replace(self, key: str, body: bytes, tag: str | None) -> None:
        """Puts this in the place of what was read with `tag`, or where nothing was (None).

        Raises:
            Conflict: Something else is there by now. Nothing was written.
        """
        ...

    def keep(self, key: str, body: bytes) -> None:
        """Writes what never changes, so that whoever has it need not ask again."""
        ...

    def delete(self, key: str, beside: str) -> None:
        """Deletes one object and all whose keys begin with `beside`, as far as they are there."""
        ...

    def address(self, key: str) -> str:
        """Where anyone reads it. Does not check that it exists."""
        ...


def live_key(run: str) -> str:
    """Where a run's live object lies."""
    return f"{PREFIX}{run}.json"


def pages_prefix(run: str) -> str:
    """What the keys of all of a run's pages begin with."""
    return f"{PREFIX}{run}/"


def page_key(run: str, created_at: int, kind: str, size: int, number: int) -> str:
    """Where a page of so many rows lies. When the run was made tells it from a deleted one of its name."""
    return f"{pages_prefix(run)}{created_at}/{kind}-{size}-{number}.json"
