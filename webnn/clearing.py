"""Clearing: deletes checkpoints that no row names and none ever can.

A checkpoint's key holds the version that its writer meant to make; a ledger entry names the checkpoint of its own
version and no other. Only a writer who read a head below version V can land a commit that makes V, and only while
the head is there. So once the head is at V or beyond, the ledger entry of V tells for ever which checkpoint of V is
needed, and the others, left by those who were beaten or died, are orphans. No clock enters into that. The age that
is asked of them beside it only lets the mark pass on: a beaten writer of V may still be writing for as long as a
function lives, and would leave its checkpoint behind the mark.

In the model (`spec/commit.pml`): LookAtHead, SweepOrphans.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from webnn.core.records import Head
from webnn.errors import Missing
from webnn.keeping import Keeping
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.ports import Blob, Blobs, Catalog
from webnn.weeding import Verdict, weed

# Lambda lets nothing live longer than 15 minutes; four times that for clocks that differ.
WRITER_MILLISECONDS = 60 * 60 * 1000


class Cleared(Struct, frozen=True):
    """How much was deleted.

    Attributes:
        orphans: Checkpoints that no row can name any more.
        expired: Blobs that the run need not keep: see `webnn.keeping`.
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
        self._keeping = Keeping(catalog, blobs, specs, clock=clock)
        self._clock = clock

    def clear(self, run: str, out_of_time: Callable[[], bool]) -> Cleared:
        """Deletes what is to be deleted of a run until out of time; the next call goes on there.

        Raises:
            Missing: No such run.
            Unavailable: A store did not answer, or a blob could not be deleted.
        """
        cleared = Cleared()
        try:
            cleared = self._orphans(run, out_of_time)
        finally:  # an orphan that cannot be deleted keeps nothing else
            expired = self._keeping.expire(run, out_of_time)
        return replace(cleared, expired=expired.deleted, bytes=cleared.bytes + expired.bytes)

    def _orphans(self, run: str, out_of_time: Callable[[], bool]) -> Cleared:
        head, mark, cleared = self._catalog.head(run), self._catalog.sweep_mark(run), Cleared()
        if mark.version == head.version:
            return cleared
        for weeded in weed(self._blobs, keys.checkpoints(run), mark.key, self._verdict(head, out_of_time)):
            mark = replace(mark, key=weeded.key)
            self._catalog.set_sweep_mark(mark)
            cleared = Cleared(cleared.orphans + weeded.deleted, bytes=cleared.bytes + weeded.bytes)
        left = self._blobs.listed(keys.checkpoints(run), mark.key, 1)
        if not left or _is_beyond(head, left[0]):
            self._catalog.set_sweep_mark(replace(mark, version=head.version))
        return cleared

    def _verdict(self, head: Head, out_of_time: Callable[[], bool]) -> Callable[[Blob], Verdict]:
        def verdict(blob: Blob) -> Verdict:
            if _is_beyond(head, blob):  # a commit that makes it may still be on its way
                return Verdict.STOP
            if blob.written_at > self._clock() - WRITER_MILLISECONDS or out_of_time():
                return Verdict.STOP
            return Verdict.DELETE if self._is_orphan(head.run, blob) else Verdict.KEEP

        return verdict

    def _is_orphan(self, run: str, blob: Blob) -> bool:
        """Whether the ledger names another checkpoint for its version, or none. What is no checkpoint is nobody's."""
        version = keys.checkpoint_version(blob.key)
        if version is None:
            return False
        try:
            return self._catalog.ledger_entry(run, version).checkpoint_key != keys.checkpoint_of(blob.key)
        except Missing:
            return True  # no commit ended there


def _is_beyond(head: Head, blob: Blob) -> bool:
    version = keys.checkpoint_version(blob.key)
    return version is not None and version > head.version
