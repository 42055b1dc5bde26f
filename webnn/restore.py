"""Rollback and unmerge: the head moves to other weights, by a recorded entry, into a new generation.

Both are commits like any other: one conditional transaction from exactly the head that was read. Both make a version
of their own, so versions never repeat and the head's number never goes back. Nothing is deleted. What was trained
against the generation before is discarded when it arrives.

In the model (`spec/commit.pml`): the process `operator`.
"""

from collections.abc import Callable

from msgspec.structs import replace

from webnn.checkpoints import Checkpoint, Encoded, bodies_of, encoded, entry_of, stored
from webnn.core.ledger import CODE, head_after
from webnn.core.merge import Merged
from webnn.core.records import Commit, Head, LedgerEntry, Without
from webnn.core.spec import Spec
from webnn.errors import Invalid, Unavailable
from webnn.landing import land, landed
from webnn.lineage import Bodies, Step, fold, lineage
from webnn.observe import Changed, unwatched
from webnn.specs import Specs
from webnn.store.ports import Blobs, Catalog

# Each is refused only because a merge was faster; to fold in what it added takes no longer than the merge itself.
ATTEMPTS = 20
PAGE = 100

Weights = tuple[Encoded, int]  # a checkpoint, and the steps behind it


class Restorer:
    """Moves heads to other weights."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: Blobs,
        specs: Specs,
        *,
        clock: Callable[[], int],
        new_id: Callable[[], str],
        changed: Changed = unwatched,
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970), a source of ids that never repeat, and whom to tell."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._clock = clock
        self._new_id = new_id
        self._changed = changed

    def rollback(self, run: str, to: int, note: str = "") -> LedgerEntry:
        """Brings back the weights of version `to`, as the next version; gives its entry. Everybody may read the note.

        Raises:
            Missing: No such run.
            Invalid: No commit made that version.
            Corrupt: Its checkpoint is gone or altered.
            Unavailable: A store did not answer, or the run is merged into faster than it can be moved.
        """

        def restored(_: Head) -> Weights:
            target = entry_of(self._catalog, run, to)
            return bodies_of(self._blobs, target), target.steps

        return self._move(run, restored, lambda entry: replace(entry, restores=to, note=note))

    def unmerge(self, run: str, without: Without, note: str = "") -> LedgerEntry:
        """Works out the weights without these clients' updates and these, as the next version; gives its entry.

        Everybody may read the note.

        Raises:
            Missing: No such run.
            Invalid: The head holds nothing of them.
            Corrupt: Something that the replay needs is gone or altered.
            Unavailable: A store did not answer, or the run is merged into faster than it can be replayed.
        """
        replayed = _Replayed(self._catalog, self._blobs, self._specs.of(run), without)

        def unmerged(head: Head) -> Weights:
            found = replayed.up_to(head)
            return encoded(Checkpoint(found.weights, found.state)), found.steps

        return self._move(run, unmerged, lambda entry: replace(entry, without=without, note=note))

    def _written(self, head: Head, weights: Weights) -> LedgerEntry:
        """Writes these weights as a checkpoint and draws up the entry of a move to it from this head.

        Also those that a rollback brings back: an entry names a checkpoint of its own and no other, so that whether one
        is still needed can be told from one row.
        """
        bodies, steps = weights
        entry = LedgerEntry(
            run=head.run,
            version=head.version + 1,
            from_version=head.version,
            generation=head.generation + 1,
            at=self._clock(),
            attempt=self._new_id(),
            steps=steps,
            previous=head.entry_sha256,
            code=CODE,
        )
        return stored(self._blobs, entry, bodies)

    def _move(
        self, run: str, decide: Callable[[Head], Weights], told: Callable[[LedgerEntry], LedgerEntry]
    ) -> LedgerEntry:
        tried: list[Commit] = []
        for _ in range(ATTEMPTS):
            head = self._catalog.head(run)
            # An attempt that was met with silence may land late. A merge would find nothing left to do; a move would be
            # made twice.
            if late := next((commit.entry for commit in tried if landed(self._catalog, commit)), None):
                return late
            weights = decide(head)
            # An unmerge may take hours. What is written against a head of then is beaten for certain, and may lie where
            # clearing has been already.
            if self._catalog.head(run) != head:
                continue
            entry = told(self._written(head, weights))
            tried.append(Commit(head, head_after(head, entry), (), entry))
            if land(self._catalog, tried[-1]):
                self._changed(run)
                return entry
        raise Unavailable(f"run {run!r} is merged into faster than it can be moved; pause it first", run=run)


class _Replayed:
    """The weights without some updates, worked out up to one head and continued to the next.

    So an unmerge gets ahead of a run that goes on: each further attempt has only to fold in what was merged meanwhile.
    """

    def __init__(self, catalog: Catalog, blobs: Blobs, spec: Spec, without: Without) -> None:
        self._catalog = catalog
        self._without = without
        self._entries: dict[int, LedgerEntry] = {}
        self._bodies = Bodies(catalog, blobs, spec, self._entries)
        self._done: list[Step] = []
        self._found: Merged | None = None

    def up_to(self, head: Head) -> Merged:
        """Weights, state and steps without what is left out. Raises Invalid if nothing of it is in this head."""
        self._read(head)
        held = lineage(self._entries, head.version)
        kept = [step for step in held if not self._without.leaves_out(step.line)]
        self._check_held(head, held)
        found = self._found
        if found is None or kept[: len(self._done)] != self._done:  # or another moved the head elsewhere
            self._done, start, steps = [], self._bodies.checkpoint(self._entries[0]), self._entries[0].steps
        else:
            start, steps = Checkpoint(found.weights, found.state), found.steps
        self._found = fold(head.run, kept[len(self._done) :], self._bodies, start, steps)
        self._done = kept
        return self._found

    def _check_held(self, head: Head, held: list[Step]) -> None:
        """Or a mistyped id would be passed over, and recorded as left out."""
        clients, updates = {step.line.client_id for step in held}, {step.line.update_id for step in held}
        unknown = [f"client {one!r}" for one in self._without.clients if one not in clients]
        unknown += [f"update {one!r}" for one in self._without.updates if one not in updates]
        if unknown:
            raise Invalid(f"version {head.version} of run {head.run!r} holds nothing of {', '.join(unknown)}")

    def _read(self, head: Head) -> None:
        after = max(self._entries, default=-1)
        while after < head.version and (page := self._catalog.ledger(head.run, after, PAGE)):
            self._entries |= {entry.version: entry for entry in page if entry.version <= head.version}
            after = page[-1].version
