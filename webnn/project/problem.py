"""What is wrong with a folder, and where."""

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        file: Its name within the folder.
        line: From 1; None where no line is to blame.
        message: What is wrong and what to do.
    """

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        """As compilers say it."""
        return f"{self.file}: {self.message}" if self.line is None else f"{self.file}:{self.line}: {self.message}"


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the known word that was probably meant, to be put behind a message; empty if none is near."""
    names = sorted(known)
    found = get_close_matches(word, names, 1)
    return f"; did you mean {found[0]!r}?" if found else f"; it can be {', '.join(names)}"
