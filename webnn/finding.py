"""What a look at a machine or at a stage found: one line each, with the command that mends it."""

from typing import Literal

from msgspec import Struct


class Finding(Struct, frozen=True):
    """One thing that was looked at.

    Attributes:
        what: In a few words.
        state: `warn` is what work goes on without, or what only somebody who wants it misses.
        said: What was found.
        mend: A command, or what else to do; None where nothing needs mending.
    """

    what: str
    state: Literal["ok", "warn", "fail"]
    said: str
    mend: str | None = None


def ok(what: str, said: str) -> Finding:
    """Nothing to mend."""
    return Finding(what, "ok", said)


def warn(what: str, said: str, mend: str) -> Finding:
    """Something to know of."""
    return Finding(what, "warn", said, mend)


def fail(what: str, said: str, mend: str) -> Finding:
    """Something that does not work."""
    return Finding(what, "fail", said, mend)
