"""The spec of a run, read once: specs never change, so a warm function keeps the ones it has seen."""

from webnn.core import spec as specs
from webnn.core.spec import Spec
from webnn.core.wire import sha256
from webnn.errors import Corrupt
from webnn.store.ports import Blobs, Catalog

KEPT = 16


class Specs:
    """Specs by run, the last `KEPT` of them remembered by their hash."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._kept: dict[str, Spec] = {}

    def of(self, name: str) -> Spec:
        """The run's spec. Raises Missing for an unknown run, Corrupt if the blob is not what the row says."""
        run = self._catalog.run(name)
        kept = self._kept.get(run.spec_sha256)
        if kept is not None:
            return kept
        body = self._blobs.get(run.spec_key)
        if sha256(body) != run.spec_sha256:
            raise Corrupt(f"the spec of run {name!r} is not what its row says", key=run.spec_key)
        while len(self._kept) >= KEPT:
            self._kept.pop(next(iter(self._kept)))
        return self._kept.setdefault(run.spec_sha256, specs.parse(body))
