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

What is not uploaded
    It stays in the way: it is announced first and uploaded later, or never. On a busy run most is uploaded a moment
    after it was looked at, so it is looked at again with the next commit; but a batch of which less than half was
    uploaded is passed, or rows that are never uploaded would make commits small. From what was passed nothing is lost:
    an upload rings, and all is looked at from the front when the end was reached.

What cannot be merged
    An update that is good by itself may still take the weights beyond what is finite, or a rule of another package may
    refuse it. Then the first half of the batch is decided on, and half of that, until it is merged or one update is
    left, which is rejected with the reason. So each meets the same head, and the same end, whatever batch it was in.

Many at once
    Any number of mergers may run. So that they do not all fold the same updates, each takes the run's turn first, or
    leaves it to the one that has it (`webnn.turns`). That is advice: two that both believe to have the turn do no
    harm, because the commit's condition alone decides.

Refused (Conflict)
    Another merger won or an update was settled meanwhile. Nothing was written. Never replay the bytes: decide
    again from the new head, because staleness, and with it the discounts, have grown. Whoever was refused was
    refused because another made progress, so mergers never wait for each other.

No answer (Unavailable)
    The transaction may have landed. Read back: the ledger entry of the version to come either carries this
    attempt's id, or this attempt did not land *yet*. Deciding again is then safe: both attempts demand the same
    head, so at most one of them can ever land.

In the model (`spec/commit.pml`): Collect, Decide, WriteCheckpoint, Commit, ReadBack.
"""

from collections import Counter
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from webnn.ahead import Ahead, one_by_one
from webnn.checkpoints import Checkpoint, encoded, stored
from webnn.core.ledger import CODE, head_after
from webnn.core.merge import Merged, merge
from webnn.core.recipe import Recipe
from webnn.core.records import Commit, Head, LedgerEntry, MergedUpdate, Update
from webnn.core.spec import Spec
from webnn.decision import Decision, fitting
from webnn.doorbell import Ring
from webnn.errors import Invalid, Unavailable
from webnn.landing import land
from webnn.newest import Newest
from webnn.observe import Attempt, Observer, nobody
from webnn.specs import Specs
from webnn.store.ports import MAX_COMMIT, Blobs, Catalog
from webnn.turns import Turn, Turns

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
        passed: Where to go on if it is not: up to this id nothing was uploaded that had not been settled.
        again: Whether to look there again too, before the work is called complete.
        elsewhere: Whether what is left was left to another merger, which looks again before it ends.
    """

    commits: int = 0
    merged: int = 0
    refused: int = 0
    conflicts: int = 0
    complete: bool = True
    passed: str = ""
    again: bool = False
    elsewhere: bool = False


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
        ahead: Ahead = one_by_one,
        observe: Observer = nobody,
        pause: Callable[[int], None] = lambda _: None,
        most: int = MAX_COMMIT,
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970) and a source of ids that never repeat.

        Beside them: how to read bodies ahead, whom to tell of each attempt, how to wait after so many on one head that
        failed (DynamoDB throttles transactions, and its client does not repeat those), and how many updates a commit
        may settle.
        """
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._turns = Turns(catalog, clock=clock, new_id=new_id)
        self._clock = clock
        self._new_id = new_id
        self._ahead = ahead
        self._observe = observe
        self._pause = pause
        self._most = most

    def drain(self, run: str, out_of_time: Callable[[], bool], after: str = "", again: bool = False) -> Drained:
        """Settles all that is pending and uploaded, commit after commit, until done or out of time.

        Args:
            run: The run.
            out_of_time: Asked between commits.
            after: Begin behind this update id: what a drain that ran out of time had `passed`.
            again: In the end look before it too.

        Raises:
            Missing: No such run.
            Corrupt: A checkpoint is not what its row says.
            Unavailable: A store did not answer, or refuses again and again. Nothing is lost; call again.
        """
        spec = self._specs.of(run)
        turn = self._turns.take(run)
        if turn is None:
            return Drained(elsewhere=True)
        try:
            return self._drain(spec, turn, out_of_time, Ring(run, after, again or turn.again))
        finally:
            turn.drop(again=True)  # if it still is this merger's, an error ends it; the message may know of less

    def _drain(self, spec: Spec, turn: Turn, out_of_time: Callable[[], bool], rung: Ring) -> Drained:
        run, beaten, newest = rung.run, Counter[int](), Newest(self._catalog, self._blobs, spec)
        where = rung & Ring(run, turn.passed, turn.again) if turn.passed else rung
        done = Drained(passed=where.after, again=where.again)
        while not out_of_time():
            if not turn.keep():
                return replace(done, passed="", again=False, elsewhere=True)
            # Before the head: an update announced after this was read may stand on a version that it has not seen.
            begun = self._clock()
            pending = self._catalog.pending(run, self._most, after=done.passed)
            head, batch = self._catalog.head(run), fitting(spec, pending)
            if not batch:
                if not done.again and turn.over():
                    return replace(done, passed="")
                done = replace(done, passed="", again=False)
                continue
            commit, batch = self._decide(spec, head, batch, newest)
            if not commit.settled:
                done = replace(done, passed=batch[-1].update_id)
            elif self._land(commit, begun):
                ends = len(batch) == len(pending) < self._most
                done = _moved_on(_counted(done, commit), batch, len(commit.settled), ends)
            else:
                done = replace(done, conflicts=done.conflicts + 1)
                beaten[head.version] += 1
                _check_patience(run, beaten[head.version])
                self._pause(beaten[head.version])
        # Should this merger die before it has rung, its message comes back, which may begin behind what is left.
        again = turn.drop(again=done.again or done.passed < rung.after, passed=done.passed)
        return replace(done, complete=False, again=again)

    def _land(self, commit: Commit, begun: int) -> bool:
        landed = land(self._catalog, commit)
        self._observe(Attempt(commit, landed, self._clock() - begun))
        return landed

    def _decide(self, spec: Spec, head: Head, batch: list[Update], newest: Newest) -> tuple[Commit, list[Update]]:
        """The commit, and what it is about: all of the batch, unless one of it cannot be merged (see above)."""
        decision = Decision(self._catalog, self._blobs, self._ahead, spec, head, self._clock())
        checkpoint = newest.of(head)
        contributions = decision.contributions(batch)
        try:
            merged = merge(spec.merging, checkpoint.weights, head.steps, head.version, contributions, checkpoint.state)
        except Invalid as error:
            if len(batch) > 1:
                return self._decide(spec, head, batch[: len(batch) // 2], newest)
            return Commit(head, head, (batch[0].rejected(error.message),), None), batch
        settled = decision.settled(merged.folded)
        if merged.version == head.version:
            return Commit(head, head, settled, None), batch
        made = Checkpoint(merged.weights, merged.state)
        entry = stored(self._blobs, self._entry(head, merged, settled, spec.merge.recipe), encoded(made))
        newest.wrote(entry, made)
        return Commit(head, head_after(head, entry), settled, entry), batch

    def _entry(self, head: Head, merged: Merged, settled: tuple[Update, ...], recipe: Recipe) -> LedgerEntry:
        """Draws up the ledger entry that will name the checkpoint."""
        folded = [update for update in settled if update.version is not None]
        return LedgerEntry(
            run=head.run,
            version=merged.version,
            from_version=head.version,
            generation=head.generation,
            at=self._clock(),
            attempt=self._new_id(),
            steps=merged.steps,
            updates=tuple(_ledger_line(update) for update in folded),
            examples=sum(update.examples for update in folded),
            update_bytes=sum(update.bytes for update in folded),
            previous=head.entry_sha256,
            recipe=recipe,
            code=CODE,
        )


def _check_patience(run: str, attempts: int) -> None:
    if attempts >= PATIENCE:
        raise Unavailable(f"{attempts} commits of run {run!r} failed on one and the same head", run=run)


def _ledger_line(update: Update) -> MergedUpdate:
    assert update.staleness is not None  # a merged update has both
    assert update.discount is not None
    return MergedUpdate(update.update_id, update.client_id, update.base_version, update.staleness, update.discount)


def _moved_on(done: Drained, batch: list[Update], settled: int, ends: bool) -> Drained:
    """Where to look after a commit: see *What is not uploaded* above."""
    if ends:
        return replace(done, passed="", again=False)
    return replace(done, passed=batch[-1].update_id) if 2 * settled < len(batch) else done


def _counted(done: Drained, commit: Commit) -> Drained:
    merged = commit.head.version - commit.base.version
    return replace(
        done,
        commits=done.commits + 1,
        merged=done.merged + merged,
        refused=done.refused + len(commit.settled) - merged,
    )
