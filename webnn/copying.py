"""Copying a run: another run of the same spec and data, from weights that this one has or had.

Shards are named by their hashes and shared by all runs, so nothing of the data is sent or stored again. The spec is
the same to the byte, unless its end is to be another.
"""

import msgspec

from webnn.checkpoints import entry_of, weights_of
from webnn.core import spec as specs
from webnn.core.records import Run
from webnn.errors import Conflict, Missing
from webnn.runs import Runs
from webnn.specs import Specs
from webnn.store.ports import Blobs, Catalog
from webnn.store.verified import verified


class Copier:
    """Copies runs."""

    def __init__(self, catalog: Catalog, blobs: Blobs, specs: Specs, runs: Runs) -> None:
        """Takes its stores, and the use case that starts runs."""
        self._catalog = catalog
        self._blobs = blobs
        self._specs = specs
        self._runs = runs

    def copy(self, run: str, new: str, version: int | None = None, until: float | None = None) -> Run:
        """Starts run `new` from the weights of a version of `run`. What the rule remembers is not copied.

        Args:
            run: What to copy; it is not changed.
            new: The name of the copy.
            version: Whose weights to begin with; None: the head's.
            until: The accuracy at which the copy finishes; None: at what its spec says.

        Raises:
            Missing: No such run.
            Invalid: The new name is none, or no commit made that version.
            Conflict: The new name is taken.
            Corrupt: The spec or the checkpoint is gone or altered.
        """
        source, spec = self._catalog.run(run), self._specs.of(run)
        self._check_free(new)
        entry = self._catalog.head(run) if version is None else entry_of(self._catalog, run, version)
        body = bytes(verified(self._blobs, source.spec_key, source.spec_sha256))
        if until is not None:
            body = specs.encode(msgspec.json.decode(body, type=dict[str, object]) | {"end": {"accuracy": until}})
        return self._runs.start(new, source.title, source.description, body, weights_of(self._blobs, spec, entry))

    def _check_free(self, name: str) -> None:
        """Early, or a checkpoint that nobody names would be left behind."""
        try:
            self._catalog.run(name)
        except Missing:
            return
        raise Conflict(f"the name {name!r} is taken", advice=f"choose another, or `webnn delete {name}`", run=name)
