"""What the schedule does in every run: settle what outages left, finish what is due, hold to budgets, show, clear."""

from collections.abc import Callable

from msgspec import Struct, field

from webnn.budget import Budget
from webnn.census import all_runs
from webnn.clearing import Cleared, Clearing
from webnn.commit import Drained
from webnn.doorbell import Ring
from webnn.errors import emptied
from webnn.evaluations import Evaluations
from webnn.live import Live
from webnn.rota import from_elsewhere
from webnn.store.ports import Catalog

# What one run may take of a sweep's time, so that one with a long backlog keeps no other waiting.
RUN_MILLISECONDS = 60_000


class Swept(Struct, frozen=True):
    """What a sweep did to one run.

    Attributes:
        error: What kept it from doing all; None if nothing did.
    """

    run: str
    drained: Drained = field(default_factory=Drained)
    cleared: Cleared = field(default_factory=Cleared)
    error: Exception | None = None


class Sweeper:
    """Sweeps all runs."""

    def __init__(
        self,
        catalog: Catalog,
        evaluations: Evaluations,
        budget: Budget,
        clearing: Clearing,
        live: Live,
        *,
        drain: Callable[[Ring, Callable[[], bool]], Drained],
        clock: Callable[[], int],
    ) -> None:
        """Takes the catalog, the use cases it calls, what answers a ring, and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._drain = drain
        self._evaluations = evaluations
        self._budget = budget
        self._clearing = clearing
        self._live = live
        self._clock = clock

    def sweep(self, out_of_time: Callable[[], bool]) -> list[Swept]:
        """Sweeps every run until out of time; what is left waits for the next sweep, which begins elsewhere.

        A run that cannot be swept is noted with its error, and keeps no other waiting. Nothing of it is lost.

        Raises:
            Unavailable: Not even the list of runs was to be had.
        """
        swept: list[Swept] = []
        for run in from_elsewhere(list(all_runs(self._catalog)), self._clock()):
            if out_of_time():
                break
            swept.append(self._sweep(run, out_of_time))
        return swept

    def _sweep(self, run: str, out_of_time: Callable[[], bool]) -> Swept:
        end = self._clock() + RUN_MILLISECONDS

        def up() -> bool:
            return out_of_time() or self._clock() >= end

        try:
            return self._settle(run, up)
        except Exception as error:  # whatever is wrong with one run, the others are not to blame
            return Swept(run, error=emptied(error))

    def _settle(self, run: str, up: Callable[[], bool]) -> Swept:
        try:
            drained = self._drain(Ring(run), up)
            self._evaluations.finish_if_reached(run)
        finally:  # a run that cannot be merged costs all the same
            self._budget.hold(run, up)
            self._live.show(run)
        return Swept(run, drained, self._clearing.clear(run, up))
