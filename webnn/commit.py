"""The commit protocol: how uploaded updates become the next versions of a run, each exactly once.

What is stored
    The *head* row points at the newest checkpoint. Each update has a row, `pending` until it is settled. Each
    commit has a ledger row. Blobs (checkpoints, bodies of updates) are immutable and never overwritten.

One commit
    1. *Collect*: read the pending updates in order, then the head. A row whose body was not uploaded yet is
       passed over; it stays pending until an upload can no longer be under way, and is discarded then.
    2. *Decide*: check every body, fold the good ones into the head's weights. Pure but for the reads.
    3. *Write the checkpoint* under a key with this attempt's id in it, which no other attempt uses.
    4. *Commit*: one conditional transaction moves the head from exactly the version read, settles every update
       that is still pending, and adds the ledger entry. All of it or nothing.

    Before 4 nothing is visible: a crash leaves an orphan checkpoint, which no row names. After 4 a repeat
    finds nothing pending. So deliveries may be lost, doubled or reordered: the queue is a doorbell, and the
    truth about what is pending is in the catalog.

Refused (Conflict)
    Another merger won or an update was settled meanwhile. Nothing was written. Never replay the bytes: decide
    again from the new head, because staleness, and with it the discounts, have grown. Whoever was refused was
    refused because another made progress, so mergers never wait for each other.

No answer (Unavailable)
    The transaction may have landed. Read back: the ledger entry of the version to come either carries this
    attempt's id, or this attempt did not land *yet*. Deciding again is then safe: both attempts demand the same
    head, so at most one of them can ever land.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import accumulate, compress

from msgspec import Struct
from msgspec.structs import replace

from webnn.core.checks import checked_delta
from webnn.core.merge import Contribution, Folded, merge
from webnn.core.records import Commit, Head, LedgerEntry, MergedUpdate, Status, Update
from webnn.core.spec import Spec
from webnn.core.wire import Vector, decode_vector, encode_vector, sha256
from webnn.errors import Conflict, Corrupt, Invalid, Missing, Unavailable
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.ports import MAX_COMMIT, Blobs, Catalog
from webnn.store.verified import verified

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

# Attempts on one and the same head that may fail in a row. Who is beaten finds another head; a head that stays while
# nothing lands is a fault, and trying on would write a checkpoint each time.
PATIENCE = 8


class Drained(Struct, frozen=True):
    """What one call of `drain` did.

    Attributes:
        commits: How often the head moved or updates were settled.
        merged: Updates merged.
        refused: Updates rejected or discarded.
        conflicts: Attempts that another merger beat.
        complete: Whether all that was uploaded is settled; if not, ring the doorbell again.
        passed: Where to go on if it is not: up to this id nothing is uploaded that had not been settled.
    """

    commits: int = 0
    merged: int = 0
    refused: int = 0
    conflicts: int = 0
    complete: bool = True
    passed: str = ""


class Committer:
    """Runs the protocol. Any number may run at once, on one run or on many."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: Blobs,
        specs: Specs,
        *,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970) and a source of ids that never repeat."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._clock = clock
        self._new_id = new_id

    def drain(self, run: str, out_of_time: Callable[[], bool], after: str = "") -> Drained:
        """Settles all that is pending and uploaded, in commits of up to `MAX_COMMIT`, until done or out of time.

        Args:
            run: The run.
            out_of_time: Asked between commits.
            after: Begin behind this update id: what a drain that ran out of time had `passed`.

        Raises:
            Missing: No such run.
            Corrupt: A checkpoint is not what its row says.
            Unavailable: A store did not answer, or refuses again and again. Nothing is lost; call again.
        """
        spec = self._specs.of(run)
        done, beaten = Drained(passed=after), Counter[int]()
        while not out_of_time():
            # Before the head: an update announced after this was read may stand on a version that it has not seen.
            batch = _fitting(spec, self._catalog.pending(run, MAX_COMMIT, after=done.passed))
            head = self._catalog.head(run)
            if not batch:
                return replace(done, passed="")
            commit = self._decide(spec, head, batch)
            if not commit.settled:
                done = replace(done, passed=batch[-1].update_id)
            elif self._land(commit):
                done = _counted(done, commit)
            else:
                done = replace(done, conflicts=done.conflicts + 1)
                beaten[head.version] += 1
                _check_patience(run, beaten[head.version])
        return replace(done, complete=False)

    def _decide(self, spec: Spec, head: Head, batch: list[Update]) -> Commit:
        decision = _Decision(self._catalog, self._blobs, spec, head, self._clock())
        merged = merge(
            spec.training.rule,
            self._weights(spec, head.checkpoint_key, head.sha256),
            head.steps,
            head.version,
            decision.contributions(batch),
        )
        settled = decision.settled(merged.folded)
        if merged.version == head.version:
            return Commit(head, head, settled, None)
        return self._prepared(head, merged.weights, merged.steps, merged.version, settled)

    def _prepared(self, head: Head, weights: Vector, steps: int, version: int, settled: tuple[Update, ...]) -> Commit:
        """Writes the checkpoint and draws up the commit that will point at it."""
        attempt = self._new_id()
        body = encode_vector(weights)
        key = keys.checkpoint(head.run, version, attempt)
        self._blobs.create(key, body)
        new = replace(head, version=version, steps=steps, checkpoint_key=key, sha256=sha256(body), bytes=len(body))
        return Commit(head, new, settled, _ledger_entry(head, new, attempt, self._clock(), settled))

    def _land(self, commit: Commit) -> bool:
        """Tries to commit; says whether it landed."""
        try:
            self._catalog.commit(commit)
        except Conflict:
            return False
        except Unavailable:
            return self._landed(commit)
        return True

    def _landed(self, commit: Commit) -> bool:
        """Reads back what became of a commit whose answer was lost."""
        if commit.entry is None:
            first = commit.settled[0]
            return self._catalog.update(first.run, first.update_id) == first
        try:
            return self._catalog.ledger_entry(commit.entry.run, commit.entry.version) == commit.entry
        except Missing:
            return False

    def _weights(self, spec: Spec, key: str, digest: str) -> Vector:
        return checkpoint_weights(self._blobs, spec, key, digest)


class _Decision:
    """Turns a batch of pending updates into contributions, and remembers why others were refused."""

    def __init__(self, catalog: Catalog, blobs: Blobs, spec: Spec, head: Head, now: int) -> None:
        self._now = now
        self._catalog = catalog
        self._blobs = blobs
        self._spec = spec
        self._head = head
        self._folding: list[Update] = []
        self._refused: list[Update] = []
        self._entries: dict[int, LedgerEntry] = {}
        self._base: tuple[int, Vector] | None = None

    def contributions(self, batch: list[Update]) -> Iterator[Contribution]:
        """The good ones, one at a time: only one body is in memory."""
        for update in batch:
            reason = self._discard_reason(update)
            if reason is not None:
                self._refused.append(update.discarded(reason))
                continue
            try:
                contribution = self._contribution(update)
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
            del contribution  # before the next body is read, so that only one is held

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

    def _discard_reason(self, update: Update) -> str | None:
        if self._head.status is Status.FINISHED:
            return "the run is finished"
        if update.generation != self._head.generation:
            return f"made against generation {update.generation}, the run is at {self._head.generation}"
        return None

    def _contribution(self, update: Update) -> Contribution:
        body = self._blobs.get(keys.update(update.run, update.update_id))
        delta = checked_delta(self._spec, update, body)
        entry = self._entry(update.base_version)
        return Contribution(
            delta=delta,
            base=self._base_weights(entry) if self._spec.training.rule.needs_base else None,
            base_version=update.base_version,
            steps=entry.steps + update.local_steps,
            examples=update.examples,
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
            weights = checkpoint_weights(self._blobs, self._spec, entry.checkpoint_key, entry.sha256)
            self._base = entry.version, weights
        return self._base[1]


def _fitting(spec: Spec, batch: list[Update]) -> list[Update]:
    """As many of the first updates as one commit can read in its time and write in one go, but at least one."""
    reading = accumulate(_bytes_to_read(spec, batch))
    rows = accumulate(ROW_BYTES + QUANTIZATION_BYTES * len(update.quantization) for update in batch)
    fits = [read <= MAX_COMMIT_BYTES and row <= MAX_COMMIT_ROW_BYTES for read, row in zip(reading, rows, strict=True)]
    return list(compress(batch, fits)) or batch[:1]


def _bytes_to_read(spec: Spec, batch: list[Update]) -> Iterator[int]:
    """For each update its body and, where the rule wants it and it is not the previous one's, its base."""
    base, base_bytes = None, spec.update_bytes("float32") if spec.training.rule.needs_base else 0
    for update in batch:
        yield update.bytes + (base_bytes if update.base_version != base else 0)
        base = update.base_version


def _check_patience(run: str, attempts: int) -> None:
    if attempts >= PATIENCE:
        raise Unavailable(f"{attempts} commits of run {run!r} failed on one and the same head", run=run)


def checkpoint_weights(blobs: Blobs, spec: Spec, key: str, digest: str) -> Vector:
    """The weights in a checkpoint, float32 [parameters].

    Raises:
        Corrupt: The blob is absent, altered, or of another size than the spec says.
    """
    body = verified(blobs, key, digest)
    try:
        return decode_vector(spec.weights, body)
    except Invalid as error:
        raise Corrupt(f"{key} holds another model: {error.message}", key=key) from error


def _ledger_entry(head: Head, new: Head, attempt: str, now: int, settled: tuple[Update, ...]) -> LedgerEntry:
    merged = [update for update in settled if update.version is not None]
    return LedgerEntry(
        run=new.run,
        version=new.version,
        from_version=head.version,
        generation=new.generation,
        at=now,
        attempt=attempt,
        steps=new.steps,
        checkpoint_key=new.checkpoint_key,
        sha256=new.sha256,
        bytes=new.bytes,
        updates=tuple(_ledger_line(update) for update in merged),
        examples=sum(update.examples for update in merged),
        update_bytes=sum(update.bytes for update in merged),
    )


def _ledger_line(update: Update) -> MergedUpdate:
    assert update.staleness is not None  # a merged update has both
    assert update.discount is not None
    return MergedUpdate(update.update_id, update.client_id, update.base_version, update.staleness, update.discount)


def _counted(done: Drained, commit: Commit) -> Drained:
    merged = commit.head.version - commit.base.version
    return replace(
        done,
        commits=done.commits + 1,
        merged=done.merged + merged,
        refused=done.refused + len(commit.settled) - merged,
    )
