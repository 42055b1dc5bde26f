"""Which version of a run to take where its newest was not evaluated."""

from webnn.core.records import Evaluation
from webnn.errors import Missing
from webnn.store.ports import Catalog
from webnn.story import all_evaluations


def instead(catalog: Catalog, run: str, version: int) -> str | None:
    """A sentence on the version that was evaluated best; None if this one was evaluated, or none has been.

    Only those of the head's generation count: what a rollback or an unmerge took away is not to be recommended.
    """
    found = list(all_evaluations(catalog, run))
    if any(one.version == version for one in found):
        return None
    best = _best(catalog, run, found)
    if best is None:
        return None
    return (
        f"It was not evaluated. Evaluated best was version {best.version}, with an accuracy of {best.accuracy:.2%}: "
        f"to take that one, add --version {best.version}"
    )


def _best(catalog: Catalog, run: str, found: list[Evaluation]) -> Evaluation | None:
    generation = catalog.head(run).generation
    for one in sorted(found, key=lambda one: (one.accuracy, one.version), reverse=True):
        try:
            if catalog.ledger_entry(run, one.version).generation == generation:
                return one
        except Missing:  # none that can be taken
            continue
    return None
