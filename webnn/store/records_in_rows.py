"""Records to row attributes and back: the one place where the two shapes meet."""

from dataclasses import asdict
from typing import Any

from webnn.core.records import (
    Client,
    Evaluation,
    EvaluationLease,
    Head,
    LedgerEntry,
    MergedUpdate,
    Quantization,
    Run,
    Status,
    Update,
    UpdateState,
)
from webnn.store import rows

HEAD = "head"
RUN = "run"
LEASE = "lease"


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


def run_attributes(run: Run) -> dict[str, Any]:
    """Row attributes of a run but its keys."""
    attributes = asdict(run)
    attributes["name"] = attributes.pop("run")
    return attributes


def run_of(row: rows.RunRow) -> Run:
    """The run in a row."""
    return Run(
        run=row.name,
        title=row.title,
        description=row.description,
        created_at=int(row.created_at),
        spec_key=row.spec_key,
        spec_sha256=row.spec_sha256,
        spec_bytes=int(row.spec_bytes),
    )


def head_of(row: rows.HeadRow) -> Head:
    """The head in a row."""
    return Head(
        run=row.run,
        version=int(row.version),
        steps=int(row.steps),
        generation=int(row.generation),
        checkpoint_key=row.checkpoint_key,
        sha256=row.sha256,
        bytes=int(row.bytes),
        status=Status(row.status),
    )


def ledger_attributes(entry: LedgerEntry) -> dict[str, Any]:
    """Row attributes of a ledger entry but its sort key."""
    attributes = {name: getattr(entry, name) for name in entry.__slots__}
    attributes["updates"] = [
        [line.update_id, line.client_id, line.base_version, line.staleness, line.discount] for line in entry.updates
    ]
    return attributes


def ledger_of(row: rows.LedgerRow) -> LedgerEntry:
    """The ledger entry in a row."""
    return LedgerEntry(
        run=row.run,
        version=int(row.version),
        from_version=int(row.from_version),
        generation=int(row.generation),
        at=int(row.at),
        attempt=row.attempt,
        steps=int(row.steps),
        checkpoint_key=row.checkpoint_key,
        sha256=row.sha256,
        bytes=int(row.bytes),
        updates=tuple(MergedUpdate(*line) for line in row.updates),
        examples=int(row.examples),
        update_bytes=int(row.update_bytes),
    )


def update_attributes(update: Update) -> dict[str, Any]:
    """Row attributes of an update but its sort key."""
    attributes = {name: getattr(update, name) for name in update.__slots__}
    attributes["quantization"] = [[q.min, q.scale] for q in update.quantization]
    attributes["state"] = str(update.state)
    if update.state is UpdateState.PENDING:
        attributes["pending"] = update.update_id
    return attributes


def update_of(row: rows.UpdateRow) -> Update:
    """The update in a row."""
    return Update(
        run=row.run,
        update_id=row.update_id,
        client_id=row.client_id,
        base_version=int(row.base_version),
        generation=int(row.generation),
        local_steps=int(row.local_steps),
        examples=int(row.examples),
        bytes=int(row.bytes),
        sha256=row.sha256,
        encoding=row.encoding,
        created_at=int(row.created_at),
        expires_at=int(row.expires_at),
        quantization=tuple(Quantization(*pair) for pair in row.quantization),
        loss=row.loss,
        accuracy=row.accuracy,
        state=UpdateState(row.state),
        reason=row.reason,
        version=None if row.version is None else int(row.version),
        staleness=None if row.staleness is None else int(row.staleness),
        discount=row.discount,
    )


def client_of(row: rows.ClientRow) -> Client:
    """The client in a row."""
    return Client(row.run, row.client_id, int(row.joined_at), int(row.seen_at), int(row.tasks))


def lease_of(row: rows.LeaseRow) -> EvaluationLease:
    """The evaluation lease in a row."""
    return EvaluationLease(row.run, row.evaluation_id, row.client_id, int(row.version), int(row.expires_at))


def evaluation_of(row: rows.EvaluationRow) -> Evaluation:
    """The evaluation in a row."""
    return Evaluation(
        run=row.run,
        version=int(row.version),
        evaluation_id=row.evaluation_id,
        client_id=row.client_id,
        loss=row.loss,
        accuracy=row.accuracy,
        examples=int(row.examples),
        at=int(row.at),
    )
