"""The budget of a run (`limits.budget` in its spec): when it has cost more, by the estimate, it is paused.

The sweep looks, every five minutes, at runs that have a budget and are running. It reads on where it was the last time:
the sums lie in the run's sweep mark, together with how far they go. So whichever of two sweeps at once writes last,
they fit together, and at worst something is read twice.
"""

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from webnn.core.records import Head, Status, SweepMark
from webnn.prices import money
from webnn.specs import Specs
from webnn.spending import Estimate, Spent, estimate
from webnn.standing import change_status
from webnn.store.ports import Catalog

PAGE = 200


class Budget:
    """Holds runs to their budgets."""

    def __init__(self, catalog: Catalog, specs: Specs, *, clock: Callable[[], int]) -> None:
        """Takes its stores and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._specs = specs
        self._clock = clock

    def hold(self, run: str, out_of_time: Callable[[], bool]) -> bool:
        """Counts what has come since the last time, and pauses the run if its budget is passed; whether it did.

        Raises:
            Missing: No such run.
            Unavailable: A store did not answer, or the head is moved too often at this moment.
        """
        budget = self._specs.of(run).limits.budget
        if budget is None or self._catalog.head(run).status is not Status.RUNNING:
            return False
        return self._estimate(run, self._counted(run, out_of_time)).dollars > budget and self._pause(run)

    def reason(self, run: str) -> str | None:
        """Why a run is paused, in words, if its budget is the reason. Raises Missing, Unavailable."""
        budget = self._specs.of(run).limits.budget
        if budget is None or self._catalog.head(run).status is not Status.PAUSED:
            return None
        found = self._estimate(run, _spent(self._catalog.sweep_mark(run))).dollars
        if found <= budget:
            return None
        return f"it has cost about {money(found)}, its budget is {money(budget)} (`limits.budget` of its spec)"

    def _counted(self, run: str, out_of_time: Callable[[], bool]) -> Spent:
        mark = self._catalog.sweep_mark(run)
        spent = _spent(mark)
        while not out_of_time():
            commits = self._catalog.ledger(run, spent.version, PAGE)
            evaluations = self._catalog.evaluations(run, spent.evaluated, PAGE)
            spent.add(commits, evaluations)
            if len(commits) < PAGE and len(evaluations) < PAGE:
                break
        told = msgspec.json.encode(spent).decode()
        if told != mark.spent:
            self._catalog.set_sweep_mark(replace(self._catalog.sweep_mark(run), spent=told))
        return spent

    def _estimate(self, run: str, spent: Spent) -> Estimate:
        clients = self._catalog.active_clients(run, 0)
        return estimate(run, self._specs.of(run), spent, clients, self._clock())

    def _pause(self, run: str) -> bool:
        head = change_status(self._catalog, run, _paused_if_running)
        return head.status is Status.PAUSED


def _paused_if_running(head: Head) -> Status:
    return Status.PAUSED if head.status is Status.RUNNING else head.status


def _spent(mark: SweepMark) -> Spent:
    """What was counted so far; nothing, if an older version of this counted something else."""
    try:
        return msgspec.json.decode(mark.spent or "{}", type=Spent)
    except msgspec.DecodeError:
        return Spent()
