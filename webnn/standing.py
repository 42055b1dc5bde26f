"""Changing the status of a run: a conditional write, and what to make of a refusal."""

from collections.abc import Callable

from msgspec.structs import replace

from webnn.core.records import Head, Status
from webnn.errors import Conflict, Unavailable
from webnn.store.ports import Catalog

# Each is refused only because a commit moves the head at this moment, or another changed the status.
ATTEMPTS = 20


def change_status(catalog: Catalog, run: str, decide: Callable[[Head], Status | None]) -> Head:
    """Looks at the head, decides, writes; if another write came between, looks again. Gives the head after that.

    After an unanswered write it is unknown whether it landed; to do the same again does no harm.

    Args:
        catalog: Where the run is.
        run: Its name.
        decide: The status that a run with this head is to have; None leaves it. May be asked more than once.

    Raises:
        Missing: No such run.
        Unavailable: The catalog did not answer, or others write at this moment, again and again.
    """
    for _ in range(ATTEMPTS):
        head = catalog.head(run)
        status = decide(head)
        if status is None or status is head.status:
            return head
        try:
            catalog.set_status(head, status)
        except Conflict:
            continue
        return replace(head, status=status)
    raise Unavailable(f"run {run!r} is too busy to become {status} at this moment; try again", run=run)
