"""Clearing: deletes blobs that no row names and none ever can, and what a run was told not to keep.

A checkpoint's key holds the version that its writer meant to make; a ledger entry names the checkpoint of its own
version and no other. Only a writer who read a head below version V can land a commit that makes V, and only while
the head is there. So once the head is at V or beyond, the ledger entry of V tells for ever which checkpoint of V is
needed, and the others, left by those who were beaten or died, are orphans. No clock enters into that. The age that
is asked of them beside it only lets the mark pass on: a beaten writer of V may still be writing for as long as a
function lives, and would leave its checkpoint behind the mark.

What a run need not keep (`limits.keep_days` in its spec; by default it keeps all) is the bodies of updates that were
settled and the checkpoints that were followed by others longer ago than that. The genesis and the head's stay.

In the model (`spec/commit.pml`): LookAtHead, SweepOrphans.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from webnn.core.ids import first_id
from webnn.core.records import Head, SweepMark
from webnn.errors import Missing
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.ports import MAX_COMMIT, Blob, Blobs, Catalog

# Lambda lets nothing live longer than 15 minutes; four times that for clocks that differ.
WRITER_MILLISECONDS = 60 * 60 * 1000
DAY_MILLISECONDS = 24 * 60 * 60 * 1000
PAGE = 1000


class Cleared(Struct, frozen=True):
    """How much was deleted.

    Attributes:
        orphans: Checkpoints that no row can name any more.
        expired: Blobs that the run need not keep.
        bytes: Of both.
    """

    orphans: int = 0
    expired: int = 0
    bytes: int = 0


class Clearing:
    """Clears runs. Any number may at once: to delete again what is gone does nothing."""

    def __init__(self, catalog: Catalog, blobs: Blobs, specs: Specs, *, clock: Callable[[], int]) -> None:
        """Takes its stores and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._clock = clock

    def clear(self, run: str, out_of_time: Callable[[], bool]) -> Cleared:
        """Deletes what is to be deleted of a run until out of time; the next call goes on there.

        Raises:
            Missing: No such run.
            Unavailable: A store did not answer.
        """
        head, mark = self._catalog.head(run), self._catalog.sweep_mark(run)
        moved, cleared = mark, Cleared()
        if mark.version != head.version:
            moved, cleared = self._orphans(head, mark, out_of_time)
        keep_days = self._specs.of(run).limits.keep_days
        if keep_days is not None and self._clock() - mark.cleared_at >= DAY_MILLISECONDS and not out_of_time():
            cleared = self._expired(head, self._clock() - keep_days * DAY_MILLISECONDS, cleared, out_of_time)
            moved = replace(moved, cleared_at=self._clock())
        if moved != mark:
            self._catalog.set_sweep_mark(moved)
        return cleared

    def _orphans(self, head: Head, mark: SweepMark, out_of_time: Callable[[], bool]) -> tuple[SweepMark, Cleared]:
        cleared = Cleared()
        for blob in self._checkpoints(head.run, mark.key):
            if blob.written_at > self._clock() - WRITER_MILLISECONDS or out_of_time():
                return mark, cleared
            version = keys.checkpoint_version(blob.key)
            if version > head.version:  # a commit that makes it may still be on its way
                break
            if self._names(head.run, version) != blob.key:
                self._blobs.delete(blob.key)
                cleared = replace(cleared, orphans=cleared.orphans + 1, bytes=cleared.bytes + blob.bytes)
            mark = replace(mark, key=blob.key)
        return replace(mark, version=head.version), cleared

    def _expired(self, head: Head, before: int, cleared: Cleared, out_of_time: Callable[[], bool]) -> Cleared:
        for blob in self._unneeded(head, before):
            if out_of_time():
                break
            self._blobs.delete(blob.key)
            cleared = replace(cleared, expired=cleared.expired + 1, bytes=cleared.bytes + blob.bytes)
        return cleared

    def _unneeded(self, head: Head, before: int) -> Iterator[Blob]:
        yield from self._old_bodies(head.run, before)
        yield from self._old_checkpoints(head, before)

    def _old_bodies(self, run: str, before: int) -> Iterator[Blob]:
        """Bodies announced and uploaded before then, of updates that are settled: no state comes after that."""
        pending = {keys.update(run, update_id) for update_id in self._pending(run)}
        for blob in self._listed(keys.updates(run)):
            if blob.key >= keys.update(run, first_id(before)):
                return
            if blob.written_at < before and blob.key not in pending:
                yield blob

    def _pending(self, run: str) -> Iterator[str]:
        after = ""
        while page := self._catalog.pending(run, MAX_COMMIT, after=after):
            yield from (update.update_id for update in page)
            after = page[-1].update_id

    def _old_checkpoints(self, head: Head, before: int) -> Iterator[Blob]:
        """Checkpoints that were followed by others before then, but the genesis. Never the head's."""
        for blob in self._checkpoints(head.run, ""):
            version = keys.checkpoint_version(blob.key)
            following = self._catalog.ledger(head.run, version, 1)
            if version >= head.version or not following or following[0].at >= before:
                return
            if version > 0 and self._names(head.run, version) == blob.key:
                yield blob

    def _names(self, run: str, version: int) -> str | None:
        """The checkpoint that the ledger names for a version; None if no commit ended there."""
        try:
            return self._catalog.ledger_entry(run, version).checkpoint_key
        except Missing:
            return None

    def _checkpoints(self, run: str, after: str) -> Iterator[Blob]:
        return self._listed(keys.checkpoints(run), after)

    def _listed(self, prefix: str, after: str = "") -> Iterator[Blob]:
        while page := self._blobs.listed(prefix, after, PAGE):
            yield from page
            after = page[-1].key
