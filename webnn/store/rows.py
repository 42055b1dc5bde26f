"""The rows of a stage's table, as PynamoDB models.

Partition key `run`, sort key `item`: `run`, `head`, `lease`, `turn`, `mark`, `update#ID`, `ledger#VERSION`,
`client#ID`, `evaluation#VERSION`, `offer#ID`, `offering#CLIENT`, `exchange#ID`, `failure#CLIENT` (versions padded so
that they sort). Of a run that was deleted `gone` stays.
Partition `*` lists the runs. Two local indexes, because only those can be read consistently: `pending` holds the
updates that still have the attribute of that name, `seen` the clients by when they last asked for a task.
"""

from typing import Any

from msgspec import Struct
from pynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.connection import Connection
from pynamodb.constants import STRING
from pynamodb.indexes import AllProjection, KeysOnlyProjection, LocalSecondaryIndex
from pynamodb.models import Model

ALL_RUNS = "*"


class FloatText(Attribute[float]):
    """A float as text: exact, and free of the range of DynamoDB's numbers."""

    attr_type = STRING

    def serialize(self, value: float) -> str:
        """The shortest text that reads back as the same float."""
        return repr(float(value))

    def deserialize(self, value: str) -> float:
        """The float."""
        return float(value)


class Row(Model):
    """What all rows have."""

    run = UnicodeAttribute(hash_key=True)
    item = UnicodeAttribute(range_key=True)


class RunRow(Row):
    """A run; in its own partition, and again in `ALL_RUNS`."""

    name = UnicodeAttribute()
    title = UnicodeAttribute()
    description = UnicodeAttribute()
    created_at = NumberAttribute()
    spec_key = UnicodeAttribute()
    spec_sha256 = UnicodeAttribute()
    spec_bytes = NumberAttribute()


class HeadRow(Row):
    """The head."""

    version = NumberAttribute()
    steps = NumberAttribute()
    generation = NumberAttribute()
    checkpoint_key = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    bytes = NumberAttribute()
    status = UnicodeAttribute()
    entry_sha256 = UnicodeAttribute()


class LedgerRow(Row):
    """One commit; `updates` is a list of [id, client, base version, staleness, discount]."""

    version = NumberAttribute()
    from_version = NumberAttribute()
    generation = NumberAttribute()
    at = NumberAttribute()
    attempt = UnicodeAttribute()
    steps = NumberAttribute()
    checkpoint_key = UnicodeAttribute()
    sha256 = UnicodeAttribute()
    bytes = NumberAttribute()
    updates = JSONAttribute()
    examples = NumberAttribute()
    update_bytes = NumberAttribute()
    previous = UnicodeAttribute()
    recipe = JSONAttribute(null=True)
    code = UnicodeAttribute()
    restores = NumberAttribute(null=True)
    without = JSONAttribute(null=True)
    state_sha256 = UnicodeAttribute()
    state_bytes = NumberAttribute()
    note = UnicodeAttribute(null=True)  # entries of older versions have none


class UpdateRow(Row):
    """An update. `pending` repeats the id until the update is settled; `quantization` is a list of [min, scale]."""

    pending = UnicodeAttribute(null=True)
    update_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    base_version = NumberAttribute()
    generation = NumberAttribute()
    local_steps = NumberAttribute()
    examples = NumberAttribute()
    bytes = NumberAttribute()
    sha256 = UnicodeAttribute()
    encoding = UnicodeAttribute()
    created_at = NumberAttribute()
    expires_at = NumberAttribute()
    quantization = JSONAttribute()
    loss = FloatText(null=True)
    accuracy = FloatText(null=True)
    state = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    staleness = NumberAttribute(null=True)
    discount = FloatText(null=True)


class ClientRow(Row):
    """A client."""

    client_id = UnicodeAttribute()
    joined_at = NumberAttribute()
    seen_at = NumberAttribute()
    tasks = NumberAttribute()


class LeaseRow(Row):
    """The newest evaluation lease."""

    evaluation_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    version = NumberAttribute()
    expires_at = NumberAttribute()
    generation = NumberAttribute(default=0)


class TurnRow(Row):
    """Which merger is at the run."""

    holder = UnicodeAttribute()
    expires_at = NumberAttribute()
    again = BooleanAttribute()
    passed = UnicodeAttribute(default="")


class MarkRow(Row):
    """How far the sweep of the run's blobs is."""

    key = UnicodeAttribute()
    version = NumberAttribute()
    cleared_at = NumberAttribute()
    body = UnicodeAttribute(default="")
    spent = UnicodeAttribute(default="")


class OfferRow(Row):
    """An update that was left for other clients; as `offer#ID` while nobody took it, as `offering#CLIENT` the last."""

    update_id = UnicodeAttribute()
    client_id = UnicodeAttribute()


class ExchangeRow(Row):
    """What was given for an update."""

    update_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    at = NumberAttribute()
    received = UnicodeAttribute()
    received_from = UnicodeAttribute()


class EvaluationRow(Row):
    """An evaluation."""

    version = NumberAttribute()
    evaluation_id = UnicodeAttribute()
    client_id = UnicodeAttribute()
    loss = FloatText()
    accuracy = FloatText()
    examples = NumberAttribute()
    at = NumberAttribute()


class FailureRow(Row):
    """Why a client cannot train."""

    client_id = UnicodeAttribute()
    at = NumberAttribute()
    code = UnicodeAttribute()
    message = UnicodeAttribute()
    detail = UnicodeAttribute(default="")
    backend = UnicodeAttribute(default="")
    version = NumberAttribute(null=True)


class GoneRow(Row):
    """What stays of a deleted run: the generation that the next run of its name begins at."""

    generation = NumberAttribute()


class Rows(Struct, frozen=True):
    """The models, bound to one table, and the connection that they share."""

    connection: Connection
    run: type[RunRow]
    head: type[HeadRow]
    ledger: type[LedgerRow]
    update: type[UpdateRow]
    client: type[ClientRow]
    lease: type[LeaseRow]
    turn: type[TurnRow]
    mark: type[MarkRow]
    evaluation: type[EvaluationRow]
    offer: type[OfferRow]
    exchange: type[ExchangeRow]
    failure: type[FailureRow]
    gone: type[GoneRow]
    pending: Any
    seen: Any


def bind(table: str, region: str, host: str | None) -> Rows:
    """The models of this table. PynamoDB wants the table's name in the class, so classes are made here."""
    base = _table(table, region, host)
    # A model without a connection makes one, with an AWS client of its own; a model that inherits one uses that.
    # One client for all rows saves a cold function most of its first second.
    connection = base._get_connection().connection

    def bound(model: type[Row]) -> Any:
        return type(model.__name__, (model, base), {})

    update, client = bound(UpdateRow), bound(ClientRow)
    return Rows(
        connection=connection,
        run=bound(RunRow),
        head=bound(HeadRow),
        ledger=bound(LedgerRow),
        update=update,
        client=client,
        lease=bound(LeaseRow),
        turn=bound(TurnRow),
        mark=bound(MarkRow),
        evaluation=bound(EvaluationRow),
        offer=bound(OfferRow),
        exchange=bound(ExchangeRow),
        failure=bound(FailureRow),
        gone=bound(GoneRow),
        pending=update.by_pending,
        seen=client.by_seen,
    )


def _table(table: str, region: str, host: str | None) -> type[Row]:
    """What all models of this table inherit: its name, and its indexes."""

    class PendingIndex(LocalSecondaryIndex[UpdateRow]):  # type: ignore[no-untyped-call]  # the library's
        Meta = type("Meta", (), {"index_name": "pending", "projection": AllProjection()})
        run = UnicodeAttribute(hash_key=True)
        pending = UnicodeAttribute(range_key=True)

    class SeenIndex(LocalSecondaryIndex[ClientRow]):  # type: ignore[no-untyped-call]  # the library's
        Meta = type("Meta", (), {"index_name": "seen", "projection": KeysOnlyProjection()})
        run = UnicodeAttribute(hash_key=True)
        seen_at = NumberAttribute(range_key=True)

    where = {"table_name": table, "region": region, "host": host}
    patience = {"connect_timeout_seconds": 5, "read_timeout_seconds": 10, "max_retry_attempts": 4}

    class Table(Row):
        Meta = type("Meta", (), where | patience)  # type: ignore[assignment]  # what MetaProtocol asks for
        by_pending = PendingIndex()
        by_seen = SeenIndex()

    return Table
