"""What goes wrong for a client, one kind per thing to do about it; and what it means. As `web/src/verdict.ts`."""

from typing import Any

from msgspec import Struct

from webnn.errors import Corrupt, Invalid, Missing, Unavailable, WebnnError


class Refused(WebnnError):
    """The server refused, in its own words; `code` says what to do: the table in `docs/openapi.yaml`."""

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any]) -> None:
        super().__init__(message, status=status, **details)
        self.code = code


class NotUnderstood(Unavailable):
    """The answer has a shape, or speaks of something, that this client does not know."""


class Stale(WebnnError):
    """Storage refused a presigned URL: it has expired, or the blob is gone. A new task brings a new URL."""


class Diverged(WebnnError):
    """Training left the finite numbers: there is nothing to send."""


class Unfit(Invalid):
    """The run's spec contradicts itself, or asks for what cannot be done here. It never changes: no retry helps."""


class Verdict(Struct, frozen=True):
    """What an error means.

    Attributes:
        code: Its kind, for programs and for the run's owner.
        message: A sentence for people.
        detail: What broke, in its own words, where nobody foresaw it.
        fatal: No retry can help.
        moved_on: Nothing is broken: the world has only moved on.
        forgotten: The server no longer knows this client.
        spoilt: The learner has to begin from nothing.
    """

    code: str
    message: str
    detail: str
    fatal: bool
    moved_on: bool
    forgotten: bool
    spoilt: bool


def verdict_on(error: Exception, *, member: bool) -> Verdict:
    """What to make of an error; `member`: the client is let in, and what is missing need not be the run."""
    refused = error.code if isinstance(error, Refused) else ""
    code = refused or _code(error)
    foreseen = isinstance(error, WebnnError)
    return Verdict(
        code=code,
        message=error.message if isinstance(error, WebnnError) else "training failed on this machine and begins afresh",
        detail="" if foreseen else f"{type(error).__name__}: {error}",
        fatal=(not member and refused in ("missing", "invalid")) or isinstance(error, Invalid | Missing),
        moved_on=isinstance(error, Stale) or refused in ("unauthorized", "conflict"),
        forgotten=refused in ("unauthorized", "missing"),
        spoilt=code in ("trainer", "diverged"),
    )


def _code(error: Exception) -> str:
    if isinstance(error, Unavailable):
        return "unavailable"
    if isinstance(error, Stale):
        return "stale"
    if isinstance(error, Corrupt):
        return "corrupt"
    if isinstance(error, Diverged):
        return "diverged"
    if isinstance(error, Invalid):
        return "bad_spec"
    return "no_backend" if isinstance(error, Missing) else "trainer"
