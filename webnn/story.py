"""A run as it unfolds: read commit by commit and evaluation by evaluation, never twice, and summed up on the way.

Commits and evaluations each have a cursor of their own, because an evaluation comes later than the commit that it is
of. What is remembered does not grow with the run: sums, counts by staleness, and the newest of everything.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from itertools import takewhile

from msgspec import Struct

from webnn.core.records import ACTIVE_MILLISECONDS, Evaluation, Head, LedgerEntry, Status
from webnn.failures import Failures, Troubles
from webnn.measured import measured
from webnn.pace import MINUTE_MILLISECONDS, per_second
from webnn.store.ports import Catalog

PAGE = 200
PAGES_A_LOOK = 5
TROUBLE_MILLISECONDS = 5_000
REMEMBERED = 2_000


class Standing(Struct, frozen=True):
    """Where a run stands. Times are milliseconds since 1970 or seconds, sizes are bytes.

    Attributes:
        at: When this was looked at.
        clients: That asked for a task in the last minute.
        updates: Merged so far; undone ones too.
        updates_per_second: Merged in the last minute, as `webnn.pace.per_second` has it; 0 of a finished run.
        accuracy, loss: Of `evaluated_version`, on the whole validation set: see `webnn.measured`.
        staleness_p50, staleness_p95: Percentiles over all merged updates; None before the first.
        update_bytes: Of all merged updates' bodies, which clients sent.
        checkpoint_bytes: Of all checkpoints, with what lies beside them.
        seconds: From version 0 until now, or until the last that happened in a finished run.
        catching_up: Whether there is more to read of what has happened.
        failures: What keeps clients from training, of some seconds ago at most.
    """

    run: str
    at: int
    status: Status
    version: int
    generation: int
    steps: int
    clients: int
    updates: int
    updates_per_second: float
    accuracy: float | None
    loss: float | None
    evaluated_version: int | None
    staleness_p50: int | None
    staleness_p95: int | None
    update_bytes: int
    checkpoint_bytes: int
    seconds: float
    catching_up: bool
    failures: Troubles = Troubles()


class Story:
    """Follows one run."""

    def __init__(self, catalog: Catalog, run: str, clock: Callable[[], int]) -> None:
        """Takes the catalog, the run's name and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._run = run
        self._clock = clock
        self._commit_cursor = self._evaluation_cursor = -1
        self._began = self._last = self._troubled_at = 0
        self._failures = Failures(catalog, clock=clock)
        self._troubles = Troubles()
        self._updates = self._update_bytes = self._checkpoint_bytes = 0
        self.staleness: Counter[int] = Counter()
        self.commits: deque[LedgerEntry] = deque(maxlen=REMEMBERED)
        self.evaluations: deque[Evaluation] = deque(maxlen=REMEMBERED)

    def look(self) -> Standing:
        """Reads on, at most some pages, and says where the run stands.

        Raises:
            Missing: No such run.
            Unavailable: The catalog did not answer. Nothing is lost or counted twice: look again.
        """
        head = self._catalog.head(self._run)
        clients = self._catalog.active_clients(self._run, self._clock() - ACTIVE_MILLISECONDS)
        ended = self._read_commits() & self._read_evaluations()
        self._read_troubles()
        return self._standing(head, clients, catching_up=not ended)

    def _read_commits(self) -> bool:
        """Whether the end was reached."""
        for _ in range(PAGES_A_LOOK):
            page = self._catalog.ledger(self._run, self._commit_cursor, PAGE)
            for entry in page:
                self._take(entry)
            if len(page) < PAGE:
                return True
        return False

    def _read_evaluations(self) -> bool:
        for _ in range(PAGES_A_LOOK):
            page = self._catalog.evaluations(self._run, self._evaluation_cursor, PAGE)
            for evaluation in page:
                self._evaluation_cursor = evaluation.version
                self._last = max(self._last, evaluation.at)
                self.evaluations.append(evaluation)
            if len(page) < PAGE:
                return True
        return False

    def _read_troubles(self) -> None:
        """They are read again as a whole each time, and so not at every look."""
        now = self._clock()
        if not self._troubled_at or now - self._troubled_at >= TROUBLE_MILLISECONDS:
            self._troubles, self._troubled_at = self._failures.look(self._run), now

    def _take(self, entry: LedgerEntry) -> None:
        self._commit_cursor = entry.version
        self._began = self._began or entry.at
        self._last = max(self._last, entry.at)
        self._updates += len(entry.updates)
        self._update_bytes += entry.update_bytes
        self._checkpoint_bytes += entry.bytes + entry.state_bytes
        self.staleness.update(line.staleness for line in entry.updates)
        self.commits.append(entry)

    def _standing(self, head: Head, clients: int, *, catching_up: bool) -> Standing:
        now = self._clock()
        newest = measured(self._catalog, head)
        until = self._last if head.status is Status.FINISHED else now
        return Standing(
            run=self._run,
            at=now,
            status=head.status,
            version=head.version,
            generation=head.generation,
            steps=head.steps,
            clients=clients,
            updates=self._updates,
            updates_per_second=0.0 if head.status is Status.FINISHED else self._rate(now),
            accuracy=newest.accuracy if newest else None,
            loss=newest.loss if newest else None,
            evaluated_version=newest.version if newest else None,
            staleness_p50=percentile(self.staleness, 0.5),
            staleness_p95=percentile(self.staleness, 0.95),
            update_bytes=self._update_bytes,
            checkpoint_bytes=self._checkpoint_bytes,
            seconds=max(0, until - self._began) / 1000 if self._began else 0.0,
            catching_up=catching_up,
            failures=self._troubles,
        )

    def _rate(self, now: int) -> float:
        late = takewhile(lambda entry: entry.at > now - MINUTE_MILLISECONDS, reversed(self.commits))
        return per_second(sum(len(entry.updates) for entry in late), self._began, now)


def percentile(counts: Mapping[int, int], share: float) -> int | None:
    """The smallest value that at least this share of all are not above; None of nothing."""
    wanted, seen = share * sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= wanted:
            return value
    return None


def all_commits(catalog: Catalog, run: str) -> Iterator[LedgerEntry]:
    """All entries of a run's ledger, oldest first, a page at a time. Raises Missing if there is no such run."""
    catalog.head(run)
    after = -1
    while page := catalog.ledger(run, after, PAGE):
        yield from page
        after = page[-1].version


def all_evaluations(catalog: Catalog, run: str) -> Iterator[Evaluation]:
    """All evaluations of a run, by version, a page at a time. Raises Missing if there is no such run."""
    catalog.head(run)
    after = -1
    while page := catalog.evaluations(run, after, PAGE):
        yield from page
        after = page[-1].version
