"""What the schedule does: settle what outages left behind, expire what was announced and never uploaded."""

from collections.abc import Callable, Iterator

from msgspec import Struct, field

from webnn.commit import Committer, Drained
from webnn.core.records import Commit, Head, Update
from webnn.errors import Conflict, WebnnError
from webnn.store.ports import MAX_COMMIT, Catalog

# An upload that began just before its ticket expired may still be under way.
GRACE_MILLISECONDS = 15 * 60 * 1000


class Swept(Struct, frozen=True):
    """What a sweep did to one run.

    Attributes:
        expired: Updates discarded because they were never uploaded.
        error: What kept it from doing all; None if nothing did.
    """

    run: str
    drained: Drained = field(default_factory=Drained)
    expired: int = 0
    error: WebnnError | None = None


class Sweeper:
    """Sweeps all runs."""

    def __init__(self, catalog: Catalog, committer: Committer, *, clock: Callable[[], int]) -> None:
        """Takes the catalog, a committer and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._committer = committer
        self._clock = clock

    def sweep(self, out_of_time: Callable[[], bool]) -> list[Swept]:
        """Sweeps every run until out of time; what is left waits for the next sweep.

        A run that cannot be swept is noted with its error, and keeps no other waiting. Nothing of it is lost.

        Raises:
            Unavailable: Not even the list of runs was to be had.
        """
        swept: list[Swept] = []
        for run in self._catalog.runs():
            if out_of_time():
                break
            swept.append(self._sweep(run.run, out_of_time))
        return swept

    def _sweep(self, run: str, out_of_time: Callable[[], bool]) -> Swept:
        try:
            drained = self._committer.drain(run, out_of_time)
            # Only after a look at every body is it known that the late ones are not there.
            return Swept(run, drained, self._expire(run) if drained.complete else 0)
        except WebnnError as error:
            return Swept(run, error=error)

    def _expire(self, run: str) -> int:
        expired = 0
        for page in self._pages(run):
            late = [u for u in page if u.expires_at + GRACE_MILLISECONDS < self._clock()]
            expired += self._discard(self._catalog.head(run), late) if late else 0
        return expired

    def _pages(self, run: str) -> Iterator[list[Update]]:
        after = ""
        while page := self._catalog.pending(run, MAX_COMMIT, after=after):
            yield page
            after = page[-1].update_id

    def _discard(self, head: Head, late: list[Update]) -> int:
        settled = tuple(update.discarded("never uploaded") for update in late)
        try:
            self._catalog.commit(Commit(head, head, settled, None))
        except Conflict:  # one of them was settled meanwhile; the next sweep takes the others
            return 0
        return len(settled)
