"""What the head holds: the updates behind a version, and the weights they give.

Commits add updates, a rollback goes back to what an earlier version held, an unmerge leaves some out. Walking from a
version to the genesis along these gives its lineage. Folded in order, each with the discount that it had, its updates
give the weights: for a lineage of commits alone bit for bit those of its checkpoint.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct

from webnn.checkpoints import Checkpoint, checkpoint_of, weights_of
from webnn.core.checks import checked_delta
from webnn.core.merge import Accumulator, Contribution, Folded, Merged
from webnn.core.merge import fold as fold_one
from webnn.core.recipe import Merging, Recipe
from webnn.core.records import LedgerEntry, MergedUpdate, Update, UpdateState, Without
from webnn.core.spec import Spec
from webnn.core.wire import Vector
from webnn.errors import Corrupt, Invalid, Missing
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog


class Step(Struct, frozen=True):
    """One update of a lineage, and the recipe that it was folded in with."""

    line: MergedUpdate
    recipe: Recipe


def lineage(entries: Mapping[int, LedgerEntry], version: int) -> list[Step]:
    """The updates that a version holds, in the order in which they were folded in.

    Args:
        entries: At least all entries up to the version, by version.
        version: One that an entry made.
    """
    return list(_backwards(entries, version))[::-1]


def _backwards(entries: Mapping[int, LedgerEntry], version: int) -> Iterator[Step]:
    left_out: list[Without] = []
    while version != 0:
        entry = entries[version]
        if entry.without is not None:
            left_out.append(entry.without)
        if entry.recipe is not None:
            for line in reversed(entry.updates):
                if not any(without.leaves_out(line) for without in left_out):
                    yield Step(line, entry.recipe)
        version = entry.from_version if entry.restores is None else entry.restores


def versions_behind(catalog: Catalog, entry: LedgerEntry) -> int:
    """How many versions stand behind an entry's: those since the last rollback, and behind what that went back to.

    Without rollbacks and unmerges that is the version itself. An unmerge takes none away.
    """
    behind = 0
    while (began := _first_of_generation(catalog, entry)).version != 0:
        behind += entry.version - began.version
        before = began.from_version if began.restores is None else began.restores
        entry = catalog.ledger_entry(entry.run, before)
    return behind + entry.version


def _first_of_generation(catalog: Catalog, entry: LedgerEntry) -> LedgerEntry:
    """By halving: entries can be found by their version only, and generations never go down."""

    def next_one(version: int) -> LedgerEntry:
        return catalog.ledger(entry.run, version - 1, 1)[0]

    versions = range(entry.version + 1)
    return next_one(bisect_left(versions, entry.generation, key=lambda version: next_one(version).generation))


class Bodies:
    """Reads what the updates of a ledger brought, and does not believe it."""

    def __init__(self, catalog: Catalog, blobs: Blobs, spec: Spec, entries: Mapping[int, LedgerEntry]) -> None:
        """Takes its stores, the run's spec, and the run's entries by version, which may grow."""
        self._catalog = catalog
        self._blobs = blobs
        self._spec = spec
        self._entries = entries

    def contribution(self, run: str, step: Step) -> Contribution:
        """What the update brought.

        Raises:
            Corrupt: Its row, its body or its base is gone, or is not what the ledger says.
        """
        update = self._update(run, step.line)
        base = self._entries.get(update.base_version)
        if base is None:
            raise Corrupt(f"update {update.update_id} stands on version {update.base_version}, which is not there")
        return Contribution(
            delta=self._delta(update),
            base=weights_of(self._blobs, self._spec, base) if self.merging(step.recipe).needs_base else None,
            base_version=update.base_version,
            steps=base.steps + update.local_steps,
            examples=update.examples,
            accuracy=update.accuracy,
            client=update.client_id,
        )

    def checkpoint(self, entry: LedgerEntry) -> Checkpoint:
        """What the entry names. Raises Corrupt."""
        return checkpoint_of(self._blobs, self._spec, entry)

    def merging(self, recipe: Recipe) -> Merging:
        """The recipe at work on this run's model."""
        return Merging(recipe, self._spec.weights)

    def _update(self, run: str, line: MergedUpdate) -> Update:
        try:
            update = self._catalog.update(run, line.update_id)
        except Missing as error:
            raise Corrupt(f"update {line.update_id} has no row") from error
        told = MergedUpdate(
            update.update_id, update.client_id, update.base_version, update.staleness or 0, update.discount or 0.0
        )
        if update.state is not UpdateState.MERGED or told != line:
            raise Corrupt(f"the row of update {line.update_id} tells of another merge")
        return update

    def _delta(self, update: Update) -> Vector:
        try:
            return checked_delta(self._spec, update, self._blobs.get(keys.update(update.run, update.update_id)))
        except Missing as error:
            raise Corrupt(f"the body of update {update.update_id} is gone") from error
        except Invalid as error:
            raise Corrupt(f"the body of update {update.update_id}: {error.message}") from error


def fold(run: str, steps: Iterable[Step], bodies: Bodies, start: Checkpoint, iterations: int) -> Merged:
    """Folds updates into a checkpoint, each with its recorded staleness and discount.

    Raises:
        Corrupt: What an update brought is gone or altered.
    """
    into = Accumulator(start.weights.copy(), start.state.copy(), iterations, 0)
    for step in steps:
        contribution = bodies.contribution(run, step)
        fold_one(bodies.merging(step.recipe), into, contribution, Folded(step.line.staleness, step.line.discount))
        del contribution  # before the next body is read
    return Merged(into.weights, into.steps, into.version, (), into.state)
