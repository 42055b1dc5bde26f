"""Keeping: deletes what a run was told to keep no longer than some days (`limits.keep_days` in its spec).

By default a run keeps everything. Else a *floor* parts what goes from what stays: the last version that was committed
longer ago than those days. All behind it can be replayed: its checkpoint stays, those of later versions, and the
bodies of all updates that were merged later, however long ago they were made. The bodies of updates merged up to it go,
those of rejected and discarded ones when they are that old, and the checkpoints before it, but for the genesis.

Under a rule that needs an update's base, the base is needed as long as the body. Updates rarely stand on a version that
was followed days before they were merged; so there checkpoints stay twice as long, and those that a pending update
stands on until it is settled.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import chain

from msgspec.structs import replace

from webnn.core.ids import first_id
from webnn.core.records import Head, Update, UpdateState
from webnn.core.spec import Spec
from webnn.errors import Missing
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.ports import MAX_COMMIT, Blob, Blobs, Catalog
from webnn.weeding import Verdict, Weeded, weed

DAY_MILLISECONDS = 24 * 60 * 60 * 1000


class Keeping:
    """Keeps runs to what they were told to keep."""

    def __init__(self, catalog: Catalog, blobs: Blobs, specs: Specs, *, clock: Callable[[], int]) -> None:
        """Takes its stores and a clock (milliseconds since 1970)."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._clock = clock

    def expire(self, run: str, out_of_time: Callable[[], bool]) -> Weeded:
        """Once a day deletes what a run need not keep; out of time, the next call goes on there.

        Raises:
            Missing: No such run.
            Unavailable: A store did not answer, or a blob could not be deleted.
        """
        spec, began = self._specs.of(run), self._clock()
        days, last = spec.limits.keep_days, self._catalog.sweep_mark(run).cleared_at
        expired = Weeded("", 0, 0)
        if days is None or began - last < DAY_MILLISECONDS:
            return expired
        head = self._catalog.head(run)
        checkpoints = self._checkpoints(spec, head, days, out_of_time)
        for weeded in chain(checkpoints, self._bodies(head, began - days * DAY_MILLISECONDS, out_of_time)):
            expired = Weeded(weeded.key, expired.deleted + weeded.deleted, expired.bytes + weeded.bytes)
        if not out_of_time():
            self._catalog.set_sweep_mark(replace(self._catalog.sweep_mark(run), body="", cleared_at=began))
        return expired

    def _checkpoints(self, spec: Spec, head: Head, days: int, out_of_time: Callable[[], bool]) -> Iterator[Weeded]:
        needs_base = spec.merging.needs_base
        floor = self._floor(head, self._clock() - days * DAY_MILLISECONDS * (2 if needs_base else 1))
        bases = {update.base_version for update in self._pending(head.run)} if needs_base else set()

        def verdict(blob: Blob) -> Verdict:
            version = keys.checkpoint_version(blob.key)
            if out_of_time() or (version is not None and version >= floor):
                return Verdict.STOP
            return Verdict.DELETE if version and version not in bases else Verdict.KEEP

        return weed(self._blobs, keys.checkpoints(head.run), "", verdict)

    def _bodies(self, head: Head, before: int, out_of_time: Callable[[], bool]) -> Iterator[Weeded]:
        """Notes how far it came: many bodies that stay may lie before one that goes."""
        floor, mark, end = self._floor(head, before), self._catalog.sweep_mark(head.run), first_id(before)

        def verdict(blob: Blob) -> Verdict:
            if out_of_time() or blob.key >= keys.update(head.run, end):
                return Verdict.STOP
            unneeded = blob.written_at < before and self._is_settled(blob, floor)
            return Verdict.DELETE if unneeded else Verdict.KEEP

        for weeded in weed(self._blobs, keys.updates(head.run), mark.body, verdict):
            self._catalog.set_sweep_mark(replace(self._catalog.sweep_mark(head.run), body=weeded.key))
            yield weeded

    def _is_settled(self, blob: Blob, floor: int) -> bool:
        """Whether it is the body of an update that was merged up to the floor, or never will be."""
        found = keys.parse_update(blob.key)
        if found is None:
            return False
        try:
            update = self._catalog.update(*found)
        except Missing:
            return False  # nobody of this house wrote it
        return update.state is not UpdateState.PENDING and (update.version is None or update.version <= floor)

    def _floor(self, head: Head, before: int) -> int:
        """The last version that was committed before then; -1 if none was."""

        def is_later(version: int) -> bool:
            return self._catalog.ledger(head.run, version - 1, 1)[0].at >= before

        return bisect_left(range(head.version + 1), True, key=is_later) - 1

    def _pending(self, run: str) -> Iterator[Update]:
        after = ""
        while page := self._catalog.pending(run, MAX_COMMIT, after=after):
            yield from page
            after = page[-1].update_id
