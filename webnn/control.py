"""What an owner tells a run to do: pause, start, stop, begin anew.

Each is one conditional write, or a rollback, and each may be told twice: what is so already is left so. None of them
deletes anything.
"""

from collections.abc import Callable

from webnn.core.records import Head, Status
from webnn.errors import Conflict
from webnn.evaluations import Evaluations
from webnn.observe import Changed, unwatched
from webnn.restore import Restorer
from webnn.standing import change_status
from webnn.store.ports import Catalog


class Control:
    """Tells runs what to do. All methods give the head after it, and raise Missing if there is no such run."""

    def __init__(
        self, catalog: Catalog, evaluations: Evaluations, restorer: Restorer, changed: Changed = unwatched
    ) -> None:
        """Takes the catalog, the use cases it calls, and whom to tell."""
        self._catalog = catalog
        self._evaluations = evaluations
        self._restorer = restorer
        self._changed = changed

    def pause(self, run: str) -> Head:
        """Hands out no work until it is started. What clients have trained is still taken, and merged.

        Raises:
            Conflict: The run is finished.
            Unavailable: A store did not answer, or the run is too busy at this moment.
        """
        return self._change(run, _paused)

    def start(self, run: str) -> Head:
        """Hands out work again: after a pause, or though it was finished.

        Raises:
            Conflict: The run has reached the end that its spec sets, and would be finished again at once.
            Unavailable: A store did not answer, or the run is too busy at this moment.
        """
        if self._catalog.head(run).status is not Status.RUNNING:
            self._check_end(run)
        return self._change(run, lambda _: Status.RUNNING)

    def _check_end(self, run: str) -> None:
        if reached := self._evaluations.reached(run):
            raise _at_its_end(run, f"with version {reached.version} (accuracy {reached.accuracy:.2%})", reached.version)
        if self._evaluations.time_is_up(run):
            raise _at_its_end(run, "in time", None)

    def finish(self, run: str) -> Head:
        """Ends the run: clients are told to stop, and what they have not sent yet is discarded.

        Raises:
            Unavailable: A store did not answer, or the run is too busy at this moment.
        """
        return self._change(run, lambda _: Status.FINISHED)

    def _change(self, run: str, decide: Callable[[Head], Status]) -> Head:
        head = change_status(self._catalog, run, decide)
        self._changed(run)
        return head

    def reset(self, run: str) -> Head:
        """Goes back to the first weights, by a rollback to version 0. The status stays as it is.

        A run that is at its first weights, having merged nothing since, is left alone.

        Raises:
            Corrupt: The first checkpoint is gone or altered.
            Unavailable: A store did not answer, or the run is merged into faster than it can be moved.
        """
        head = self._catalog.head(run)
        if head.version == 0 or self._catalog.ledger_entry(run, head.version).restores == 0:
            return head
        self._restorer.rollback(run, 0)
        return self._catalog.head(run)

    def retrain(self, run: str) -> Head:
        """Resets and starts, whatever the status was. In this order: a crash between leaves a run that was reset.

        Raises:
            Corrupt: The first checkpoint is gone or altered.
            Conflict: The first weights themselves have reached the end that the spec sets.
            Unavailable: A store did not answer, or the run is too busy at this moment.
        """
        self.reset(run)
        return self.start(run)


def _paused(head: Head) -> Status:
    if head.status is Status.FINISHED:
        raise Conflict(f"run {head.run!r} is finished, so there is nothing to pause", run=head.run)
    return Status.PAUSED


def _at_its_end(run: str, how: str, version: int | None) -> Conflict:
    return Conflict(
        f"run {run!r} has reached its end {how}: `webnn retrain {run}` begins anew, "
        f"`webnn copy {run} NEW --until ACCURACY` goes on as another run",
        run=run,
        version=version,
    )
