"""What a run has cost so far: an estimate from its ledger and AWS's list prices. No bill was looked at.

Counted is what merged updates, commits, evaluations, clients and kept bytes ask of AWS. Not counted, because the ledger
does not tell of it: updates that were rejected or discarded, clients that were asked to wait, attempts that were
beaten, watchers, the rows of clients and evaluations, what an unmerge reads, and what a stage costs while nobody trains
(infra/README.md).

All is worked out from sums (`Spent`), which do not grow with the run: whoever has them goes on from there.
"""

from collections.abc import Iterable

from msgspec import Struct

from webnn import prices
from webnn.core.records import Evaluation, LedgerEntry
from webnn.core.spec import Spec

DAY_MILLISECONDS = 24 * 60 * 60 * 1000


class Spent(Struct):
    """Sums over a run's history up to some point, to which more is added.

    Attributes:
        version: Of the last commit in it; -1 before the genesis.
        evaluated: Version of the last evaluation in it.
        began: When version 0 was made, in milliseconds since 1970.
        entries: Of the ledger, with the genesis, rollbacks and unmerges; `commits` merged something.
        states: Checkpoints that something lies beside.
        merging: GB·s of merges.
        blob_bytes, row_bytes: That were written; shards are not among them.
        blob_moments, row_moments: Each of those bytes, times the milliseconds from `began` until it was written.
        newest_bytes: Of the last checkpoint.
    """

    version: int = -1
    evaluated: int = -1
    began: int = 0
    entries: int = 0
    commits: int = 0
    updates: int = 0
    evaluations: int = 0
    states: int = 0
    head_units: int = 0
    merging: float = 0.0
    rings: int = 0
    downloads: int = 0
    blob_bytes: int = 0
    row_bytes: int = 0
    blob_moments: float = 0.0
    row_moments: float = 0.0
    newest_bytes: int = 0

    def add(self, entries: Iterable[LedgerEntry], evaluations: Iterable[Evaluation]) -> None:
        """Adds what came next of both, oldest first."""
        for entry in entries:
            self._commit(entry)
        for one in evaluations:
            self.evaluated = one.version
            self.evaluations += 1
            self.downloads += self.newest_bytes

    def _commit(self, entry: LedgerEntry) -> None:
        updates = len(entry.updates)
        self.began = self.began or entry.at
        self.version, self.newest_bytes = entry.version, entry.bytes
        self.entries += 1
        self.states += bool(entry.state_bytes)
        self.head_units += prices.head_write_units(updates)
        blobs = entry.bytes + entry.state_bytes + entry.update_bytes
        rows = prices.ENTRY_BYTES + updates * (prices.LINE_BYTES + prices.ROW_BYTES)
        self.blob_bytes += blobs
        self.row_bytes += rows
        self.blob_moments += blobs * (entry.at - self.began)
        self.row_moments += rows * (entry.at - self.began)
        if updates:
            self.commits += 1
            self.updates += updates
            self.merging += prices.commit_gb_seconds(updates)
            self.rings += prices.ring_requests(updates)
            self.downloads += updates * entry.bytes


class Line(Struct, frozen=True):
    """One thing that is paid for.

    Attributes:
        count: Single requests, units, GB·s or bytes; of what is kept, bytes times months.
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
        budget: What the spec allows; None if it does not say.
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
    budget: float | None = None
    noted: str = prices.NOTED
    source: str = prices.SOURCE


def estimate(run: str, spec: Spec, spent: Spent, clients: int, now: int) -> Estimate:
    """Works out what a run has cost until now (milliseconds since 1970); `clients` is how many ever joined."""
    age = max(0, now - spent.began) if spent.began else 0
    counts = _requests(spec, spent, clients) | _downloads(spec, spent, clients) | _kept(spec, spent, age)
    counts["S3 reads"] += 2 * spent.updates + spent.commits + spent.evaluations
    lines = [Line(what, counts[what], price.words, price.of(counts[what])) for what, price in prices.PRICES.items()]
    dollars = sum(line.dollars for line in lines)
    version = max(0, spent.version)
    return Estimate(
        run=run,
        version=version,
        updates=spent.updates,
        commits=spent.commits,
        evaluations=spent.evaluations,
        clients=clients,
        seconds=age / 1000,
        lines=lines,
        dollars=dollars,
        per_version=dollars / version if version else None,
        storage_a_month=_storage(spec, spent, age),
        budget=spec.limits.budget,
    )


def _requests(spec: Spec, spent: Spent, clients: int) -> dict[str, float]:
    peer = spec.merge.where == "peer"
    requests = spent.updates * (prices.UPDATE_REQUESTS + peer * prices.PEER_REQUESTS)
    requests += spent.evaluations * prices.EVALUATION_REQUESTS + clients * prices.JOIN_REQUESTS
    written = spent.updates * (prices.UPDATE_WRITE_UNITS + peer * prices.PEER_WRITE_UNITS) + spent.head_units
    written += spent.evaluations * prices.EVALUATION_WRITE_UNITS + clients * prices.JOIN_WRITE_UNITS
    read = spent.updates * prices.UPDATE_READ_UNITS + spent.commits * prices.COMMIT_READ_UNITS
    stored = len(spec.data.train) + len(spec.data.validation) + 1  # the shards and the spec
    return {
        "API requests": requests,
        "function calls": requests + spent.commits,
        "function time": requests * prices.REQUEST_GB_SECONDS + spent.merging,
        "S3 writes": spent.updates + spent.entries + spent.states + stored,
        "write units": written,
        "read units": read + spent.evaluations * prices.EVALUATION_READ_UNITS,
        "queue requests": spent.rings,
    }


def _downloads(spec: Spec, spent: Spent, clients: int) -> dict[str, float]:
    """Checkpoints; and shards, each once by a client that comes to it, and the validation set by who evaluates.

    Who went how far is not known, but that all together went no further than this: one shard each, and another
    whenever a shard's worth of tasks was done.
    """
    data, training = spec.data, spec.training
    evaluators = min(clients, spent.evaluations)
    validation = sum(shard.bytes for shard in data.validation)
    reads, downloads = evaluators * len(data.validation), spent.downloads + evaluators * validation
    if not data.train:  # clients have data of their own
        return {"S3 reads": reads, "downloads": downloads}
    tasks = max(1, round(data.train[0].examples / (training.local_steps * training.batch_size)))
    visits = min(clients * len(data.train), clients + spent.updates // tasks)
    train = sum(shard.bytes for shard in data.train)
    return {"S3 reads": reads + visits, "downloads": downloads + visits * train / len(data.train)}


def _kept(spec: Spec, spent: Spent, age: int) -> dict[str, float]:
    """Bytes times months: from when they were written until now, or for as long as the run keeps them."""
    blobs = spent.blob_bytes * age - spent.blob_moments
    if spec.limits.keep_days is not None:
        blobs = min(blobs, spent.blob_bytes * spec.limits.keep_days * DAY_MILLISECONDS)
    rows = spent.row_bytes * age - spent.row_moments
    month = prices.MONTH_MILLISECONDS
    return {"blobs": (blobs + _shards(spec) * age) / month, "rows": rows / month}


def _storage(spec: Spec, spent: Spent, age: int) -> float:
    """Dollars a month; of a run that does not keep everything, as if it had grown evenly."""
    days = spec.limits.keep_days
    share = 1.0 if days is None or not age else min(1.0, days * DAY_MILLISECONDS / age)
    blobs = spent.blob_bytes * share + _shards(spec)
    return prices.PRICES["blobs"].of(blobs) + prices.PRICES["rows"].of(spent.row_bytes)


def _shards(spec: Spec) -> int:
    return sum(shard.bytes for shard in spec.data.train + spec.data.validation)
