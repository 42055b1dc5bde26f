"""`Removal` in memory: the part of the catalog that a run is taken away by."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from webnn.core.records import Head, Run, Status
from webnn.errors import Conflict
from webnn.store.memory_peers import MemoryPeers


class MemoryRemoval(MemoryPeers):
    """What `MemoryCatalog` inherits."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, Run] = {}
        self._listed: dict[str, Run] = {}
        self._heads: dict[str, Head] = {}
        self._gone: dict[str, int] = {}

    def next_generation(self, run: str) -> int:
        """See `Removal.next_generation`."""
        with self._lock:
            return self._gone.get(run, 0)

    def delist(self, run: str) -> None:
        """See `Removal.delist`."""
        with self._lock:
            self._listed.pop(run, None)

    def delete_rows(self, run: str, limit: int) -> int:
        """See `Removal.delete_rows`."""
        with self._lock:
            rows = ((table, key) for table in self._tables() for key in table if _run_of(key) == run)
            found = list(islice(rows, limit))
            for table, key in found:
                del table[key]
        return len(found)

    def delete_run(self, run: str, generation: int) -> None:
        """See `Removal.delete_run`."""
        with self._lock:
            head = self._heads.get(run)
            if head is not None and (head.status is not Status.FINISHED or head.generation >= generation):
                raise Conflict(f"run {run!r} is not finished")
            self._heads.pop(run, None)
            self._runs.pop(run, None)
            self._gone[run] = generation

    def _tables(self) -> Sequence[dict[Any, Any]]:
        """All rows of all runs but the runs' own and their heads, by run, or by run and what else."""
        return self._offers, self._last, self._exchanges


def _run_of(key: str | tuple[str, Any]) -> str:
    return key if isinstance(key, str) else key[0]
