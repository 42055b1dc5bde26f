"""The newest weights of a run, as one drain goes through its versions."""

from webnn.core.records import Head, LedgerEntry
from webnn.core.spec import Spec
from webnn.core.wire import Vector
from webnn.decision import checkpoint_weights
from webnn.store.ports import Blobs


class Newest:
    """Remembers one set of weights: a head that this drain made itself is not read from the store again."""

    def __init__(self, blobs: Blobs, spec: Spec) -> None:
        """Takes the blobs and the run's spec."""
        self._blobs = blobs
        self._spec = spec
        self._kept: tuple[str, Vector] | None = None

    def of(self, head: Head) -> Vector:
        """The head's weights, float32 [parameters]. Not to be changed.

        Raises:
            Corrupt: The checkpoint is gone, altered, or of another size.
            Unavailable: The store did not answer.
        """
        if self._kept is None or self._kept[0] != head.checkpoint_key:
            self._kept = None  # before the next is read, so that only one is held
            weights = checkpoint_weights(self._blobs, self._spec, head.checkpoint_key, head.sha256)
            self._kept = head.checkpoint_key, weights
        return self._kept[1]

    def wrote(self, entry: LedgerEntry, weights: Vector) -> None:
        """These weights were written as the entry's checkpoint. If its commit lands, they are the head's."""
        self._kept = entry.checkpoint_key, weights
