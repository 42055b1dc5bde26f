"""The spec of a run, read once: specs never change, so a warm function keeps the ones it has seen."""

from webnn.core import spec as specs
from webnn.core.records import Run
from webnn.core.spec import Spec
from webnn.errors import Corrupt, Invalid
from webnn.store.ports import Blobs, Catalog
from webnn.store.verified import verified

KEPT = 128  # more than GET /runs lists


class Specs:
    """Specs by run, the last `KEPT` of them remembered by their hash."""

    def __init__(self, catalog: Catalog, blobs: Blobs) -> None:
        self._catalog = catalog
        self._blobs = blobs
        self._kept: dict[str, Spec] = {}

    def of(self, name: str) -> Spec:
        """The run's spec. Raises Missing for an unknown run, Corrupt if the blob is gone or not what the row says."""
        run = self._catalog.run(name)
        kept = self._kept.get(run.spec_sha256)
        if kept is not None:
            return kept
        spec = _parsed(run, bytes(verified(self._blobs, run.spec_key, run.spec_sha256)))
        while len(self._kept) >= KEPT:
            self._kept.pop(next(iter(self._kept)), None)  # another thread may have been first
        return self._kept.setdefault(run.spec_sha256, spec)


def _parsed(run: Run, body: bytes) -> Spec:
    try:
        return specs.parse(body)
    except Invalid as error:
        raise Corrupt(f"the spec of run {run.run!r} was valid once: {error.message}", key=run.spec_key) from error
