"""Whether a run's time is up, and finishing it."""

from collections.abc import Callable

from webnn.core.records import Head, LedgerEntry, Status
from webnn.core.spec import Spec
from webnn.standing import change_status
from webnn.store.ports import Catalog

KEPT = 128  # beginnings that are remembered
PAGE = 200


class Ending:
    """Finishes runs."""

    def __init__(self, catalog: Catalog, clock: Callable[[], int]) -> None:
        """Takes the catalog and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._clock = clock
        self._began: dict[tuple[str, int], int] = {}

    def time_is_up(self, spec: Spec, run: str) -> bool:
        """Whether `end.seconds` have passed since the first update of this generation was merged. Raises Missing."""
        if spec.end.seconds is None:
            return False
        began = self._beginning(run, self._catalog.head(run).generation)
        return began is not None and self._clock() >= began + 1000 * spec.end.seconds

    def _beginning(self, run: str, generation: int) -> int | None:
        """When the first commit of a generation was made; that never changes, so it is read once."""
        if (run, generation) in self._began:
            return self._began[run, generation]
        first = self._first(run, generation)
        if first is None:
            return None
        while len(self._began) >= KEPT:
            self._began.pop(next(iter(self._began)), None)  # another thread may have been first
        return self._began.setdefault((run, generation), first.at)

    def _first(self, run: str, generation: int) -> LedgerEntry | None:
        after = 0
        while page := self._catalog.ledger(run, after, PAGE):
            for entry in page:
                if entry.generation == generation and entry.updates:
                    return entry
            after = page[-1].version
        return None

    def finish(self, run: str, generation: int) -> None:
        """Finishes a run that is running, and of this generation still: what was before a rollback ends nothing.

        Raises:
            Missing: No such run.
            Unavailable: The head is moved too often at this moment.
        """

        def finished(head: Head) -> Status | None:
            ends = head.status is Status.RUNNING and head.generation == generation
            return Status.FINISHED if ends else None

        change_status(self._catalog, run, finished)
