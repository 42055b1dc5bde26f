"""The newest checkpoint of a run, as one drain goes through its versions."""

from webnn.checkpoints import Checkpoint, state_of, weights_of
from webnn.core.merge import NOTHING
from webnn.core.records import Head, LedgerEntry
from webnn.core.spec import Spec
from webnn.core.state import Shape, State
from webnn.errors import Corrupt, Missing
from webnn.store.ports import Blobs, Catalog


class Newest:
    """Remembers one checkpoint: a head that this drain made itself is not read from the store again."""

    def __init__(self, catalog: Catalog, blobs: Blobs, spec: Spec) -> None:
        """Takes its stores and the run's spec."""
        self._catalog = catalog
        self._blobs = blobs
        self._spec = spec
        self._kept: tuple[str, Checkpoint] | None = None

    def of(self, head: Head) -> Checkpoint:
        """The head's checkpoint. Not to be changed.

        Raises:
            Corrupt: The checkpoint or its ledger entry is gone, altered, or of another size.
            Unavailable: A store did not answer.
        """
        if self._kept is None or self._kept[0] != head.checkpoint_key:
            self._kept = None  # before the next is read, so that only one is held
            weights = weights_of(self._blobs, self._spec, head)
            self._kept = head.checkpoint_key, Checkpoint(weights, self._state(head))
        return self._kept[1]

    def wrote(self, entry: LedgerEntry, checkpoint: Checkpoint) -> None:
        """Notes what was written as the entry's checkpoint: if its commit lands, the head's."""
        self._kept = entry.checkpoint_key, checkpoint

    def _state(self, head: Head) -> State:
        """The row that names it is not the head's, and most recipes need none."""
        if self._spec.merge.remembers == Shape():
            return NOTHING
        try:
            return state_of(self._blobs, self._spec, self._catalog.ledger_entry(head.run, head.version))
        except Missing as error:
            raise Corrupt(f"no ledger entry made version {head.version} of run {head.run!r}") from error
