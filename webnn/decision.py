"""What becomes of a batch of pending updates: who is folded in, who is refused and why. Reads, and writes nothing."""

from collections.abc import Iterator
from itertools import accumulate, compress

from webnn.ahead import Ahead
from webnn.checkpoints import weights_of
from webnn.core.checks import checked_delta
from webnn.core.merge import Contribution, Folded
from webnn.core.records import Head, LedgerEntry, Status, Update
from webnn.core.spec import Spec
from webnn.core.wire import Body, Vector
from webnn.errors import Corrupt, Invalid, Missing
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog

# Time is looked at between commits only, so one commit must read and check its bodies well within a function's minute.
# At 50 MB/s from S3 this is 20 seconds; the rate is an assumption, not a measurement.
MAX_COMMIT_BYTES = 1_000_000_000

# DynamoDB takes 4 MB in a transaction, counting the whole of each row. A row is about 900 bytes (bench/row_sizes.py)
# and up to 52 for each tensor that is quantised.
MAX_COMMIT_ROW_BYTES = 3_000_000
ROW_BYTES = 1_000
QUANTIZATION_BYTES = 52

# An upload that began just before its ticket expired may still be under way.
GRACE_MILLISECONDS = 15 * 60 * 1000


class Decision:
    """Turns a batch of pending updates into contributions, and remembers why others were refused."""

    def __init__(self, catalog: Catalog, blobs: Blobs, ahead: Ahead, spec: Spec, head: Head, now: int) -> None:
        self._now = now
        self._ahead = ahead
        self._catalog = catalog
        self._blobs = blobs
        self._spec = spec
        self._head = head
        self._folding: list[Update] = []
        self._refused: list[Update] = []
        self._entries: dict[int, LedgerEntry] = {}
        self._base: tuple[int, Vector] | None = None

    def contributions(self, batch: list[Update]) -> Iterator[Contribution]:
        """The good ones, one at a time; no more bodies are in memory than are read ahead."""
        wanted = [update for update in batch if not self._discards(update)]
        bodies = self._ahead(self._body, wanted, lambda update: update.bytes)
        for update in wanted:
            try:
                contribution = self._contribution(update, next(bodies)())
            except Missing:
                self._pass_over(update)
                continue
            except Invalid as error:
                self._refused.append(update.rejected(error.message))
                continue
            except Corrupt as error:  # of its base, which is lost to this update alone; the head was read before
                self._refused.append(update.discarded(error.message))
                continue
            self._folding.append(update)
            yield contribution
            del contribution  # before the next body is taken

    def settled(self, folded: tuple[Folded, ...]) -> tuple[Update, ...]:
        """Every update in its final state, in update order."""
        version = self._head.version
        settled = list(self._refused)
        for update, outcome in zip(self._folding, folded, strict=True):
            if outcome.discount > 0.0:
                version += 1
                settled.append(update.merged(version, outcome.staleness, outcome.discount))
            else:
                settled.append(update.discarded("too stale", outcome.staleness))
        return tuple(sorted(settled, key=lambda update: update.update_id))

    def _pass_over(self, update: Update) -> None:
        """What is not uploaded stays pending until it is too late for it."""
        if update.expires_at + GRACE_MILLISECONDS < self._now:
            self._refused.append(update.discarded("never uploaded"))

    def _discards(self, update: Update) -> bool:
        """Whether it is of no use whatever its body holds; then it is refused."""
        reason = self._discard_reason(update)
        if reason is not None:
            self._refused.append(update.discarded(reason))
        return reason is not None

    def _discard_reason(self, update: Update) -> str | None:
        if self._head.status is Status.FINISHED:
            return "the run is finished"
        if update.generation != self._head.generation:
            return f"made against generation {update.generation}, the run is at {self._head.generation}"
        return None

    def _body(self, update: Update) -> Body:
        return self._blobs.get(keys.update(update.run, update.update_id))

    def _contribution(self, update: Update, body: Body) -> Contribution:
        delta = checked_delta(self._spec, update, body)
        entry = self._entry(update.base_version)
        return Contribution(
            delta=delta,
            base=self._base_weights(entry) if self._spec.merging.needs_base else None,
            base_version=update.base_version,
            steps=entry.steps + update.local_steps,
            examples=update.examples,
            accuracy=update.accuracy,
            client=update.client_id,
        )

    def _entry(self, version: int) -> LedgerEntry:
        if version not in self._entries:
            try:
                self._entries[version] = self._catalog.ledger_entry(self._head.run, version)
            except Missing as error:
                raise Invalid(f"no commit made version {version}") from error
        return self._entries[version]

    def _base_weights(self, entry: LedgerEntry) -> Vector:
        """Neighbouring updates mostly share their base, so one is kept."""
        if self._base is None or self._base[0] != entry.version:
            self._base = None  # before the next is read, so that only one is held
            self._base = entry.version, weights_of(self._blobs, self._spec, entry)
        return self._base[1]


def fitting(spec: Spec, batch: list[Update]) -> list[Update]:
    """As many of the first updates as one commit can read in its time and write in one go, but at least one."""
    reading = accumulate(_bytes_to_read(spec, batch))
    rows = accumulate(ROW_BYTES + QUANTIZATION_BYTES * len(update.quantization) for update in batch)
    fits = [read <= MAX_COMMIT_BYTES and row <= MAX_COMMIT_ROW_BYTES for read, row in zip(reading, rows, strict=True)]
    return list(compress(batch, fits)) or batch[:1]


def _bytes_to_read(spec: Spec, batch: list[Update]) -> Iterator[int]:
    """For each update its body and, where the rule wants it and it is not the previous one's, its base."""
    base, base_bytes = None, spec.update_bytes("float32") if spec.merging.needs_base else 0
    for update in batch:
        yield update.bytes + (base_bytes if update.base_version != base else 0)
        base = update.base_version
