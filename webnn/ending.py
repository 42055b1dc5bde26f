"""Whether a run's time is up, and finishing it."""

from collections.abc import Callable

from webnn.core.records import Status
from webnn.core.spec import Spec
from webnn.errors import Conflict, Unavailable
from webnn.store.ports import Catalog

FINISH_ATTEMPTS = 20
KEPT = 128  # runs whose beginning is remembered


class Ending:
    """Finishes runs."""

    def __init__(self, catalog: Catalog, clock: Callable[[], int]) -> None:
        """Takes the catalog and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._clock = clock
        self._began: dict[str, int] = {}

    def time_is_up(self, spec: Spec, run: str) -> bool:
        """Whether `end.seconds` have passed since the run's first update was merged."""
        if spec.end.seconds is None:
            return False
        began = self._beginning(run)
        return began is not None and self._clock() >= began + 1000 * spec.end.seconds

    def _beginning(self, run: str) -> int | None:
        """When the first commit after version 0 was made; that never changes, so it is read once."""
        if run in self._began:
            return self._began[run]
        first = self._catalog.ledger(run, 0, 1)
        if not first:
            return None
        while len(self._began) >= KEPT:
            self._began.pop(next(iter(self._began)), None)  # another thread may have been first
        return self._began.setdefault(run, first[0].at)

    def finish(self, run: str, generation: int) -> None:
        """Finishes a run that is running, and of this generation still: what was before a rollback ends nothing.

        Refused when a commit is moving the head at this moment or another changed the status, it looks again.

        Raises:
            Unavailable: The head is moved too often at this moment.
        """
        for _ in range(FINISH_ATTEMPTS):
            head = self._catalog.head(run)
            if head.status is not Status.RUNNING or head.generation != generation:
                return None
            try:
                return self._catalog.set_status(head, Status.FINISHED)
            except Conflict:
                continue
        raise Unavailable(f"run {run!r} is too busy to finish; report again")
