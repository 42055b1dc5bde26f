"""Every deliberate error. Few kinds, each named by what the caller should do about it.

The message is for people and may change freely; programs look at the class and at `details`.
"""

import traceback
from typing import Any


class WebnnError(Exception):
    """Base of all deliberate errors.

    Attributes:
        message: One sentence for people.
        advice: For an owner at a terminal: what to type next. Empty where there is nothing to add.
        details: What the message speaks of, JSON-serialisable; safe to show to the caller.
    """

    def __init__(self, message: str, *, advice: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice
        self.details = details


class Invalid(WebnnError):
    """The request is wrong and will stay wrong: do not repeat it."""


class Unauthorized(Invalid):
    """The token is absent, forged, expired or another run's: join again."""


class TooLarge(Invalid):
    """The request is over a limit: send less."""


class Missing(WebnnError):
    """There is no such thing."""


class Conflict(WebnnError):
    """Another writer got there first: refresh, decide again, then retry. Nothing was written."""


class Unavailable(WebnnError):
    """A backing service did not answer: retry later. Whether a write landed is unknown: read back."""


class Corrupt(WebnnError):
    """Stored bytes are not what their record says. Nothing a caller can do mends it."""


def emptied(error: Exception) -> Exception:
    """The error, its traceback without what the functions on it held: their lines stay, their models go.

    For errors that are kept while work goes on.
    """
    behind: list[BaseException | None] = [error]
    seen: set[int] = set()
    while behind:
        found = behind.pop()
        if found is not None and id(found) not in seen:  # causes may go in a circle
            seen.add(id(found))
            traceback.clear_frames(found.__traceback__)
            behind += [found.__cause__, found.__context__]
    return error
