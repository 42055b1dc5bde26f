"""What a run's watchers are shown: one live object, and pages of older rows beside it, which never change.

The live object says how the run stands, sums over its whole history, and the newest rows of it. It holds less than
twice the smallest page, so it does not grow with the run. Pages come in three sizes, so that nobody who reads a long
history from its beginning needs many: where a page of a larger size is complete, it holds the same rows as its parts.

The object is also what its next writer goes on from: with it lie the sums (`Spent`) that a cost takes.
"""

from typing import Any, Generic, Literal, TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.structs import astuple, replace

from webnn.core.records import Status
from webnn.errors import Corrupt
from webnn.spending import Spent

FORMAT = 1
# Rows in a page. Each is a multiple of the one before it.
SIZES = (32, 512, 8192)
# The last counts all that are as stale or more.
STALENESS_COUNTS = 65

Kind = Literal["commits", "evaluations"]
R = TypeVar("R", bound=Struct)


class Row(Struct, frozen=True, array_like=True):
    """A move of the head. Times are milliseconds since 1970, sizes are bytes.

    Attributes:
        clients: Whose updates it merged: how many.
        bytes: Of the updates' bodies.
        freshest, stalest: Staleness of its updates; -1 if it merged none.
        discount: What staleness left of their influence, on average; 1 if it merged none.
    """

    version: int
    at: int
    steps: int
    updates: int
    clients: int
    examples: int
    bytes: int
    checkpoint_bytes: int
    freshest: int
    stalest: int
    discount: float


class Evaluated(Struct, frozen=True, array_like=True):
    """An evaluation. Loss and accuracy have six digits; they are None where they are no number."""

    version: int
    at: int
    loss: float | None
    accuracy: float | None


class Note(Struct, frozen=True):
    """A note on a row that merged nothing.

    Attributes:
        to: The version whose weights a rollback brought back; None of an unmerge.
        clients, updates: That an unmerge was told to leave out: how many. Not which, for that is nobody's business.
        text: What the owner says of it; empty for nothing.
    """

    version: int
    kind: Literal["rollback", "unmerge"]
    to: int | None = None
    clients: int = 0
    updates: int = 0
    text: str = ""


class Page(Struct, Generic[R], frozen=True, omit_defaults=True):
    """Rows that follow each other, and notes on some of them."""

    rows: list[R] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)

    def __add__(self, other: "Page[R]") -> "Page[R]":
        return Page([*self.rows, *other.rows], [*self.notes, *other.notes])

    def split(self, size: int) -> tuple["Page[R]", "Page[R]"]:
        """The first rows, and the rest, each with its notes."""
        first, rest = self.rows[:size], self.rows[size:]
        noted = {getattr(row, "version", None) for row in first}
        mine = [note for note in self.notes if note.version in noted]
        return Page(first, mine), Page(rest, [note for note in self.notes if note.version not in noted])


class Shown(Struct, frozen=True):
    """The live object. `docs/watching.md` has its members.

    Attributes:
        at: When this was so.
        first_generation: Of version 0; each note begins another.
        before: How many rows of each kind are in pages.
        staleness: How many updates had which; see `STALENESS_COUNTS`.
        crowd: Now and then, how many clients had asked for a task in the minute before: seconds since the run was
            made, and the number.
        joined, counted_at: How many clients ever joined, and when they were counted.
    """

    run: str
    title: str
    description: str
    created_at: int
    target: float | None
    pages: str
    status: Status = Status.RUNNING
    at: int = 0
    version: int = 0
    steps: int = 0
    generation: int = 0
    first_generation: int = 0
    sha256: str = ""
    clients: int = 0
    updates: int = 0
    examples: int = 0
    update_bytes: int = 0
    checkpoint_bytes: int = 0
    staleness: list[int] = field(default_factory=list)
    dollars: float = 0.0
    dollars_per_version: float | None = None
    dollars_a_month: float = 0.0
    prices_noted: str = ""
    before: dict[Kind, int] = field(default_factory=lambda: {"commits": 0, "evaluations": 0})
    commits: Page[Row] = field(default_factory=Page)
    evaluations: Page[Evaluated] = field(default_factory=Page)
    crowd: list[tuple[int, int]] = field(default_factory=list)
    joined: int = 0
    counted_at: int = 0
    spent: Spent = field(default_factory=Spent)
    format: int = FORMAT
    sizes: tuple[int, ...] = SIZES


def encoded(shown: Shown) -> bytes:
    """The live object. In its rows version, time and steps are the differences to the row before."""
    return msgspec.json.encode(replace(shown, commits=_apart(shown.commits), evaluations=_apart(shown.evaluations)))


def decoded(body: bytes) -> Shown | None:
    """What `encoded` made; None if this is anything else, or of another format."""
    try:
        shown = msgspec.json.decode(body, type=Shown)
    except (msgspec.DecodeError, UnicodeDecodeError):  # and what they derive: a member of another kind
        return None
    if (shown.format, shown.sizes, set(shown.before)) != (FORMAT, SIZES, {"commits", "evaluations"}):
        return None
    return replace(shown, commits=_together(shown.commits), evaluations=_together(shown.evaluations))


def encoded_page(page: Page[R]) -> bytes:
    """A page as it lies beside the object."""
    return msgspec.json.encode(_apart(page))


def decoded_page(kind: Kind, body: bytes) -> Page[Any]:
    """What `encoded_page` made. Raises Corrupt if this is something else."""
    try:
        if kind == "commits":
            return _together(msgspec.json.decode(body, type=Page[Row]))
        return _together(msgspec.json.decode(body, type=Page[Evaluated]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Corrupt(f"a page of {kind} is damaged: {error}") from error


def _apart(page: Page[R]) -> Page[R]:
    """Differences compress to two thirds."""
    rows, last = [], [0, 0, 0]
    for row in page.rows:
        values, grows = astuple(row), _growing(row)
        rows.append(
            type(row)(*(value - before for value, before in zip(values, last[:grows], strict=False)), *values[grows:])
        )
        last = list(values[:grows])
    return replace(page, rows=rows)


def _together(page: Page[R]) -> Page[R]:
    rows, last = [], [0, 0, 0]
    for row in page.rows:
        values, grows = astuple(row), _growing(row)
        last = [value + before for value, before in zip(values, last[:grows], strict=False)]
        rows.append(type(row)(*last, *values[grows:]))
    return replace(page, rows=rows)


def _growing(row: Struct) -> int:
    """How many columns are differences: version and time; and steps, where there are."""
    return 3 if isinstance(row, Row) else 2
