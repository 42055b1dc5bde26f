"""Whom use cases tell of what they did: for logs, metrics and those who watch, never for decisions."""

from collections.abc import Callable

from msgspec import Struct

from webnn.core.records import Commit


class Attempt(Struct, frozen=True):
    """One attempt to commit.

    Attributes:
        landed: Whether it became the next version; if not, another was faster, and it is decided again.
        milliseconds: From reading what is pending to the answer.
    """

    commit: Commit
    landed: bool
    milliseconds: int


Observer = Callable[[Attempt], None]


def nobody(_attempt: Attempt) -> None:
    """Tells nobody."""


Changed = Callable[[str], object]


def unwatched(_run: str) -> None:
    """Tells nobody that something of this run has changed."""
