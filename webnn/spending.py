"""What a run has cost so far: an estimate from its ledger and AWS's list prices. No bill was looked at.

Counted is what merged updates, commits, evaluations, clients and kept bytes ask of AWS. Not counted, because the ledger
does not tell of it: updates that were rejected or discarded, clients that were asked to wait, attempts that were
beaten, watchers, the rows of clients and evaluations, what an unmerge reads, and what a stage costs while nobody trains
(infra/README.md).
"""

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from webnn import prices
from webnn.core.records import Evaluation, LedgerEntry
from webnn.core.spec import Spec

DAY_MILLISECONDS = 24 * 60 * 60 * 1000


class Line(Struct, frozen=True):
    """One thing that is paid for.

    Attributes:
        count: In the price's unit, but single ones and bytes.
    """

    what: str
    count: float
    price: str
    dollars: float


class Estimate(Struct, frozen=True):
    """What a run has cost, in dollars.

    Attributes:
        version: Up to which this is.
        clients: That joined.
        per_version: Of all that there were, rollbacks and unmerges too; None at version 0.
        storage_a_month: What keeping it costs from now on, if nothing else happens.
        noted, source: When and where the prices were written down.
    """

    run: str
    version: int
    updates: int
    commits: int
    evaluations: int
    clients: int
    seconds: float
    lines: list[Line]
    dollars: float
    per_version: float | None
    storage_a_month: float
    noted: str = prices.NOTED
    source: str = prices.SOURCE


def estimate(
    spec: Spec, commits: Iterable[LedgerEntry], evaluations: Iterable[Evaluation], clients: int, now: int
) -> Estimate:
    """Works out what a run has cost until now.

    Args:
        spec: Of the run.
        commits: All entries of its ledger, oldest first, the genesis among them.
        evaluations: All of them.
        clients: How many ever joined.
        now: Milliseconds since 1970.
    """
    counted = _Counted(spec, now)
    for entry in commits:
        counted.commit(entry)
    for one in evaluations:
        counted.evaluation(one)
    counted.joined(clients)
    counted.shards()
    return counted.estimate(clients)


class _Counted:
    """Counts, entry by entry."""

    def __init__(self, spec: Spec, now: int) -> None:
        self._spec = spec
        self._now = now
        self._count: Counter[str] = Counter()
        self._seconds = 0.0  # GB·s
        self._kept_blobs = self._kept_rows = 0  # bytes now
        self._blob_time = self._row_time = 0  # bytes times milliseconds
        self._updates_of: Counter[str] = Counter()
        self._evaluators: set[str] = set()
        self._commits = self._evaluations = self._updates = 0
        self._newest: LedgerEntry | None = None
        self._began = now

    def commit(self, entry: LedgerEntry) -> None:
        """A move of the head, or the genesis, with which the shards are stored."""
        if entry.version == 0:
            self._began = entry.at
        self._newest = entry
        updates = len(entry.updates)
        self._keep(entry, entry.version == 0)
        self._count["S3 writes"] += 1 + bool(entry.state_bytes)
        self._count["write units"] += prices.head_write_units(updates)
        if updates:
            self._commits += 1
            self._merged(entry, updates)

    def _merged(self, entry: LedgerEntry, updates: int) -> None:
        peer = self._spec.merge.where == "peer"
        self._updates += updates
        self._updates_of.update(line.client_id for line in entry.updates)
        self._requests(updates * (prices.UPDATE_REQUESTS + peer * prices.PEER_REQUESTS))
        self._count["function calls"] += 1
        self._seconds += prices.commit_gb_seconds(updates)
        self._count["S3 writes"] += updates
        self._count["S3 reads"] += 2 * updates + 1  # the client's checkpoint, the update; the head's checkpoint
        self._count["write units"] += updates * (prices.UPDATE_WRITE_UNITS + peer * prices.PEER_WRITE_UNITS)
        self._count["read units"] += updates * prices.UPDATE_READ_UNITS + prices.COMMIT_READ_UNITS
        self._count["queue requests"] += prices.ring_requests(updates)
        self._count["downloads"] += updates * entry.bytes

    def evaluation(self, one: Evaluation) -> None:
        """One evaluation, by whoever did it."""
        self._evaluations += 1
        self._evaluators.add(one.client_id)
        self._requests(prices.EVALUATION_REQUESTS)
        self._count["S3 reads"] += 1
        self._count["write units"] += prices.EVALUATION_WRITE_UNITS
        self._count["read units"] += prices.EVALUATION_READ_UNITS
        self._count["downloads"] += self._newest.bytes if self._newest else 0

    def joined(self, clients: int) -> None:
        """So many clients."""
        self._requests(clients * prices.JOIN_REQUESTS)
        self._count["write units"] += clients * prices.JOIN_WRITE_UNITS

    def shards(self) -> None:
        """What browsers downloaded of the data: each shard once per client that came to it."""
        data, training = self._spec.data, self._spec.training
        each = data.train[0]
        tasks = max(1, round(each.examples / (training.local_steps * training.batch_size)))
        for updates in self._updates_of.values():
            visited = min(len(data.train), -(-updates // tasks))
            self._count["S3 reads"] += visited
            self._count["downloads"] += visited * each.bytes
        self._count["S3 reads"] += len(self._evaluators) * len(data.validation)
        self._count["downloads"] += len(self._evaluators) * sum(shard.bytes for shard in data.validation)

    def _requests(self, count: int) -> None:
        self._count["API requests"] += count
        self._count["function calls"] += count
        self._seconds += count * prices.REQUEST_GB_SECONDS

    def _keep(self, entry: LedgerEntry, first: bool) -> None:
        """Storage, from its commit until now, or until it need not be kept."""
        age, days = max(0, self._now - entry.at), self._spec.limits.keep_days
        blobs, forever = entry.bytes + entry.state_bytes + entry.update_bytes, 0
        if first:
            data = self._spec.data
            forever = sum(shard.bytes for shard in data.train + data.validation)
            self._count["S3 writes"] += len(data.train) + len(data.validation) + 1
        kept = age if days is None else min(age, days * DAY_MILLISECONDS)
        self._blob_time += blobs * kept + forever * age
        self._kept_blobs += forever + (blobs if kept == age else 0)
        rows = prices.ENTRY_BYTES + len(entry.updates) * (prices.LINE_BYTES + prices.ROW_BYTES)
        self._row_time += rows * age
        self._kept_rows += rows

    def estimate(self, clients: int) -> Estimate:
        """All of it."""
        counts: dict[str, float] = dict.fromkeys(prices.PRICES, 0.0) | self._count
        counts["function time"] = self._seconds
        counts["blobs"] = self._blob_time / prices.MONTH_MILLISECONDS
        counts["rows"] = self._row_time / prices.MONTH_MILLISECONDS
        lines = [Line(what, counts[what], price.words, price.of(counts[what])) for what, price in prices.PRICES.items()]
        dollars = sum(line.dollars for line in lines)
        version = self._newest.version if self._newest else 0
        return Estimate(
            run=self._newest.run if self._newest else "",
            version=version,
            updates=self._updates,
            commits=self._commits,
            evaluations=self._evaluations,
            clients=clients,
            seconds=(self._now - self._began) / 1000,
            lines=lines,
            dollars=dollars,
            per_version=dollars / version if version else None,
            storage_a_month=prices.PRICES["blobs"].of(self._kept_blobs) + prices.PRICES["rows"].of(self._kept_rows),
        )
