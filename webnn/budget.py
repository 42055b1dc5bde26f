"""The budget of a run (`limits.budget` in its spec): when it has cost more, by the estimate, it is paused.

The sweep looks, every five minutes, at runs that have a budget and are running. It reads on where it was the last time:
the sums lie in the run's sweep mark, together with how far they go. So whichever of two sweeps at once writes last,
they fit together, and at worst something is read twice.

A spec never changes, but its owner may raise or lower its budget: each change is a blob of its own beside the spec, and
the newest counts. Only what has a budget in its spec can have another, so that no other run costs a look.
"""

from collections.abc import Callable

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from webnn.core.records import Head, Status, SweepMark
from webnn.errors import Invalid
from webnn.prices import money
from webnn.specs import Specs
from webnn.spending import Estimate, Spent, estimate
from webnn.standing import change_status
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog

PAGE = 200
MOST = 1e9  # dollars, as in a spec


class Change(Struct, frozen=True):
    """Another budget in dollars, and when it was given."""

    budget: float
    at: int


class Budget:
    """Holds runs to their budgets."""

    def __init__(
        self, catalog: Catalog, blobs: Blobs, specs: Specs, *, clock: Callable[[], int], new_id: Callable[[], str]
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970) and a source of ids that sort by time."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._clock = clock
        self._new_id = new_id

    def of(self, run: str) -> float | None:
        """The dollars that it may cost; None if there is no limit. Raises Missing, Unavailable."""
        first = self._specs.of(run).limits.budget
        if first is None:
            return None
        newest, page = "", self._blobs.listed(keys.budgets(run), "", PAGE)
        while page:
            newest, page = page[-1].key, self._blobs.listed(keys.budgets(run), page[-1].key, PAGE)
        return first if not newest else msgspec.json.decode(self._blobs.get(newest), type=Change).budget

    def change(self, run: str, dollars: float) -> bool:
        """Gives a run another budget, and lets it go on if its budget was why it was paused; whether it does.

        Raises:
            Missing: No such run.
            Invalid: Its spec has no budget, or this is none.
            Unavailable: A store did not answer. To do it again does no harm.
        """
        if self.of(run) is None:
            raise Invalid(f"run {run!r} has no budget in its spec, so it is held to none: copy it with `limits.budget`")
        if not 0 < dollars <= MOST:
            raise Invalid(f"a budget is more than 0 and at most {MOST:g} dollars")
        held = self.reason(run) is not None
        self._blobs.create(keys.budget(run, self._new_id()), msgspec.json.encode(Change(dollars, self._clock())))
        if not held or self.reason(run) is not None:
            return False
        return change_status(self._catalog, run, _running_if_paused).status is Status.RUNNING

    def hold(self, run: str, out_of_time: Callable[[], bool]) -> bool:
        """Counts what has come since the last time, and pauses the run if its budget is passed; whether it did.

        Raises:
            Missing: No such run.
            Unavailable: A store did not answer, or the head is moved too often at this moment.
        """
        if self._specs.of(run).limits.budget is None or self._catalog.head(run).status is not Status.RUNNING:
            return False
        budget = self.of(run)
        if budget is None:
            return False
        return self._estimate(run, self._counted(run, out_of_time)).dollars > budget and self._pause(run)

    def reason(self, run: str) -> str | None:
        """Why a run is paused, in words, if its budget is the reason. Raises Missing, Unavailable."""
        if self._catalog.head(run).status is not Status.PAUSED or (budget := self.of(run)) is None:
            return None
        found = self._estimate(run, _spent(self._catalog.sweep_mark(run))).dollars
        if found <= budget:
            return None
        said = f"it has cost about {money(found)}, its budget is {money(budget)}"
        return f"{said}: `webnn budget {run} DOLLARS` gives it another"

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


def _running_if_paused(head: Head) -> Status:
    return Status.RUNNING if head.status is Status.PAUSED else head.status


def _spent(mark: SweepMark) -> Spent:
    """What was counted so far; nothing, if an older version of this counted something else."""
    try:
        return msgspec.json.decode(mark.spent or "{}", type=Spent)
    except msgspec.DecodeError:
        return Spent()
