"""Deleting a run, for good: its rows, its checkpoints, its updates, its spec, and if wanted its data.

Clients and mergers may be at work on it, and whoever deletes may be cut off at any point. So it is first finished:
from then on nothing is announced and no commit lands. Then it goes off the list, so that neither `list` nor the sweep
meets one half there. Then go its rows, so that a ring finds nothing to merge; then its blobs, the spec last, which all
the others need; then what its watchers were shown. Its own row and its head go at the very end, in one transaction:
until then the name is taken, and to delete it again goes on where this was cut off.

What is under way at that moment may still write: a body to a ticket, a row of a function that had looked before. It
belongs to a generation that is over: the name is free for a run that begins at the next one, which refuses whatever was
made for this (`Removal.next_generation`). To delete the name again takes away what was written since.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from webnn.census import all_runs
from webnn.core.records import Head, Status
from webnn.core.spec import Spec
from webnn.errors import Conflict, Corrupt, Missing, Unavailable
from webnn.observe import Changed, unwatched
from webnn.specs import Specs
from webnn.standing import change_status
from webnn.store import keys
from webnn.store.ports import MAX_DELETE, Blob, Blobs, Catalog
from webnn.weeding import Verdict, weed

PAGE = 500
# Pages that fail in a row. DynamoDB takes so many writes a second of one run, and deleting is nothing but writes.
PATIENCE = 8


class Removed(Struct, frozen=True):
    """How much was deleted so far.

    Attributes:
        rows: In the catalog; some more, if a page had to be tried again.
        blobs: Of the run's own.
        shards: Of its data.
        bytes: Of blobs and shards.
    """

    rows: int = 0
    blobs: int = 0
    shards: int = 0
    bytes: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class Remover:
    """Deletes runs."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: Blobs,
        specs: Specs,
        *,
        pause: Callable[[int], None] = lambda _: None,
        forget: Changed = unwatched,
    ) -> None:
        """Takes its stores.

        And how to wait after so many pages of rows in a row that could not be deleted, and what deletes all that
        watchers were shown.
        """
        self._pause = pause
        self._forget = forget
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs

    def delete(self, run: str, *, with_data: bool = False) -> Iterator[Removed]:
        """Deletes a run, step by step; each step tells how much is gone by then. A name that was deleted is cleaned.

        Args:
            run: Its name.
            with_data: Delete shards too, as far as no other run names them. No run with the same data may be started
                meanwhile.

        Raises:
            Missing: There is no such run, and never was.
            Conflict: Somebody started it again meanwhile. What is deleted by then is gone.
            Corrupt: It cannot be told which shards other runs need: a spec of theirs is gone. Nothing was deleted.
            Unavailable: A store did not answer. Delete it again.
        """
        if with_data:
            self._shards(run)
        generation, done = self._finished(run), Removed()
        self._catalog.delist(run)
        for step in self._steps(run, generation, with_data):
            done += step
            yield done
        self._catalog.delete_run(run, generation)
        if self._head(run) is None:
            self._forget(run)  # of those who showed it until its row was gone
        yield done

    def check(self, run: str) -> None:
        """Raises Missing if there is no such run, and never was."""
        if self._head(run) is None and not self._catalog.next_generation(run):
            self._catalog.run(run)  # its head alone may be gone, where rows were deleted by hand

    def _finished(self, run: str) -> int:
        """Finishes the run, if there is one; gives the generation that is to come after it."""
        self.check(run)
        try:
            return change_status(self._catalog, run, lambda _: Status.FINISHED).generation + 1
        except Missing:
            return self._catalog.next_generation(run) or 1

    def _steps(self, run: str, generation: int, with_data: bool) -> Iterator[Removed]:
        shards = self._shards(run) if with_data else []
        yield from self._rows(run, generation)
        for start in range(0, len(shards), MAX_DELETE):
            page = shards[start : start + MAX_DELETE]
            self._blobs.delete([blob.key for blob in page])
            yield Removed(shards=len(page), bytes=sum(blob.bytes for blob in page))
        for prefix in (keys.checkpoints(run), keys.updates(run), keys.specs(run)):
            self._check_over(run, generation)
            for weeded in weed(self._blobs, prefix, "", lambda _: Verdict.DELETE):
                self._check_over(run, generation)
                yield Removed(blobs=weeded.deleted, bytes=weeded.bytes)
        self._forget(run)
        yield from self._rows(run, generation)  # of those who were at work when it was finished

    def _rows(self, run: str, generation: int) -> Iterator[Removed]:
        self._check_over(run, generation)
        while deleted := self._deleted(run):
            yield Removed(rows=deleted)
            self._check_over(run, generation)

    def _deleted(self, run: str) -> int:
        for failed in range(1, PATIENCE):
            try:
                return self._catalog.delete_rows(run, PAGE)
            except Unavailable:
                self._pause(failed)
        return self._catalog.delete_rows(run, PAGE)

    def _check_over(self, run: str, generation: int) -> None:
        """That this is still the run that was finished: another may have been started under its name."""
        head = self._head(run)
        if head is not None and (head.status is not Status.FINISHED or head.generation >= generation):
            raise Conflict(f"run {run!r} was started again meanwhile: no more of it is deleted", run=run)

    def _head(self, run: str) -> Head | None:
        try:
            return self._catalog.head(run)
        except Missing:
            return None

    def _shards(self, run: str) -> list[Blob]:
        """The shards that this run alone names."""
        try:
            spec = self._specs.of(run)
        except (Missing, Corrupt):  # cut off behind this point before
            return []
        mine = _sizes(spec)
        for other in all_runs(self._catalog):
            if other != run:
                mine = {digest: mine[digest] for digest in mine.keys() - _sizes(self._specs.of(other)).keys()}
        return [Blob(keys.shard(digest), size, 0) for digest, size in mine.items()]


def _sizes(spec: Spec) -> dict[str, int]:
    """Bytes of a spec's shards, by their hashes."""
    return {shard.sha256: shard.bytes for shard in spec.data.train + spec.data.validation}
