"""What clients report when they cannot train a run's model, for its owner to see. Nothing else goes by it.

A client reports once, when it gives up or has failed several times in a row, and only its last report is kept. The
words are those of strangers: they are bounded where they come in, and made harmless for a terminal where they go out.
"""

from collections.abc import Callable

from msgspec import Struct

from webnn.core.records import Failure
from webnn.store.ports import Catalog
from webnn.tokens import Member

# So many reports a look reads: those of the clients that joined last.
MOST = 100


class Report(Struct, frozen=True):
    """What a client says of its failing. See `Failure`."""

    code: str
    message: str
    detail: str = ""
    backend: str = ""
    version: int | None = None


class Trouble(Struct, frozen=True):
    """Clients that failed with the same words.

    Attributes:
        clients: How many.
        last_at: When the last of them reported, in milliseconds since 1970.
        detail, backend, version: Of that one.
    """

    code: str
    message: str
    clients: int
    last_at: int
    detail: str
    backend: str
    version: int | None


class Troubles(Struct, frozen=True):
    """What keeps clients from training.

    Attributes:
        clients: How many reported, of the newest `MOST` reports.
        more: Whether there are older ones.
        alike: By what they say, the newest first.
    """

    clients: int = 0
    more: bool = False
    alike: tuple[Trouble, ...] = ()


class Failures:
    """Takes reports, and sums them up."""

    def __init__(self, catalog: Catalog, *, clock: Callable[[], int]) -> None:
        """Takes the catalog and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._clock = clock

    def report(self, member: Member, report: Report) -> Failure:
        """Notes a client's report in place of its last. Raises Missing if there is no such run."""
        self._catalog.head(member.run)
        failure = Failure(
            run=member.run,
            client_id=member.client_id,
            at=self._clock(),
            code=report.code,
            message=report.message,
            detail=report.detail,
            backend=report.backend,
            version=report.version,
        )
        self._catalog.record_failure(failure)
        return failure

    def look(self, run: str) -> Troubles:
        """What keeps clients of a run from training, in words that a terminal may be given."""
        found = self._catalog.failures(run, MOST + 1)
        return Troubles(min(len(found), MOST), len(found) > MOST, _alike(found[:MOST]))


def _alike(found: list[Failure]) -> tuple[Trouble, ...]:
    by_words: dict[tuple[str, str], list[Failure]] = {}
    for failure in sorted(found, key=lambda one: one.at, reverse=True):
        by_words.setdefault((failure.code, plain(failure.message)), []).append(failure)
    return tuple(_trouble(message, group) for (_, message), group in by_words.items())


def _trouble(message: str, group: list[Failure]) -> Trouble:
    last = group[0]
    return Trouble(
        code=last.code,
        message=message,
        clients=len(group),
        last_at=last.at,
        detail=plain(last.detail),
        backend=last.backend,
        version=last.version,
    )


def plain(text: str) -> str:
    """In one line, without what moves a cursor, changes colours or turns the direction of writing."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
