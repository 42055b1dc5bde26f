"""`Failures` in memory: the part of the catalog that says what keeps clients from training."""

from collections.abc import Sequence
from heapq import nlargest
from typing import Any

from webnn.core.records import Failure
from webnn.store.memory_removal import MemoryRemoval


class MemoryFailures(MemoryRemoval):
    """What `MemoryCatalog` inherits."""

    def __init__(self) -> None:
        super().__init__()
        self._failures: dict[tuple[str, str], Failure] = {}  # by run and client

    def record_failure(self, failure: Failure) -> None:
        """See `Failures.record_failure`."""
        with self._lock:
            self._failures[failure.run, failure.client_id] = failure

    def failures(self, run: str, limit: int) -> list[Failure]:
        """See `Failures.failures`."""
        with self._lock:
            reported = [failure for (name, _), failure in self._failures.items() if name == run]
        return nlargest(limit, reported, key=lambda failure: failure.client_id)

    def _tables(self) -> Sequence[dict[Any, Any]]:
        return self._failures, *super()._tables()
