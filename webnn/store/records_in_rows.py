"""Records to row attributes and back: the one place where the two shapes meet.

A record's members are the row's attributes, by the same names. What differs is named here: sort keys, the mark of a
pending update, and the name of a run, which stands beside the partition key because runs are listed in another one.
"""

from typing import Any, TypeVar

from msgspec import Struct, ValidationError, convert, to_builtins
from pynamodb.models import Model

from webnn.core.records import Run, Update, UpdateState
from webnn.errors import Corrupt
from webnn.store.rows import RunRow

HEAD = "head"
RUN = "run"
LEASE = "lease"
TURN = "turn"
MARK = "mark"
GONE = "gone"
OFFERS = "offer#"
FAILURES = "failure#"

Record = TypeVar("Record", bound=Struct)


def update_item(update_id: str) -> str:
    """Sort key of an update."""
    return f"update#{update_id}"


def ledger_item(version: int) -> str:
    """Sort key of the commit that made a version."""
    return f"ledger#{version:012d}"


def client_item(client_id: str) -> str:
    """Sort key of a client."""
    return f"client#{client_id}"


def evaluation_item(version: int) -> str:
    """Sort key of a version's evaluation."""
    return f"evaluation#{version:012d}"


def offer_item(update_id: str) -> str:
    """Sort key of an update that was left and not taken."""
    return f"{OFFERS}{update_id}"


def offering_item(client_id: str) -> str:
    """Sort key of what a client left last."""
    return f"offering#{client_id}"


def exchange_item(update_id: str) -> str:
    """Sort key of what was given for an update."""
    return f"exchange#{update_id}"


def failure_item(client_id: str) -> str:
    """Sort key of what a client reports of its failing."""
    return f"{FAILURES}{client_id}"


def attributes(record: Struct) -> dict[str, Any]:
    """Row attributes of a record but its sort key."""
    found: dict[str, Any] = to_builtins(record)
    return found


def run_attributes(run: Run) -> dict[str, Any]:
    """Row attributes of a run but its keys."""
    found = attributes(run)
    return {"name": found.pop("run"), **found}


def update_attributes(update: Update) -> dict[str, Any]:
    """Row attributes of an update but its sort key."""
    pending = {"pending": update.update_id} if update.state is UpdateState.PENDING else {}
    return attributes(update) | pending


def record(kind: type[Record], row: Model) -> Record:
    """The record in a row. Raises Corrupt if the row holds something else."""
    return _converted(kind, row.attribute_values)


def run_of(row: RunRow) -> Run:
    """The run in a row. Raises Corrupt."""
    return _converted(Run, row.attribute_values | {"run": row.name})


def _converted(kind: type[Record], values: dict[str, Any]) -> Record:
    try:
        return convert(values, kind)
    except ValidationError as error:
        raise Corrupt(f"a row is not a {kind.__name__}: {error}") from error
