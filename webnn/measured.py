"""How good the weights are that a run has now."""

from webnn.core.records import Evaluation, Head
from webnn.store.ports import Catalog


def measured(catalog: Catalog, head: Head) -> Evaluation | None:
    """The newest evaluation since the head last went elsewhere than on.

    Where there is none yet, that of the version which a rollback brought back; None where there is neither: what was
    measured before a reset says nothing of the weights after it.

    Raises:
        Missing: No such run.
        Unavailable: The catalog did not answer.
    """
    newest = catalog.latest_evaluation(head.run)
    if newest is None or catalog.ledger_entry(head.run, newest.version).generation >= head.generation:
        return newest
    restored = catalog.ledger_entry(head.run, head.version).restores
    found = [] if restored is None else catalog.evaluations(head.run, restored - 1, 1)
    return next((one for one in found if one.version == restored), None)
