"""What a merger tells of its attempts: for logs and metrics, never for decisions."""

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
