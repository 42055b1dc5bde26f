"""Bytes of DynamoDB rows, and how many updates one run may have: a run's rows hold at most 10 GB together.

    python bench/row_sizes.py

The rows are the adapter's own, filled with the longest values that ordinary use has. Sizes are by AWS's rule: a row
is the UTF-8 of its attributes' names and values; a number takes a byte for every two digits, and one more.
"""

import json

from measure import table

from webnn.core.records import (
    Client,
    Evaluation,
    LedgerEntry,
    MergedUpdate,
    Update,
    UpdateState,
)
from webnn.core.wire import Quantization
from webnn.store import records_in_rows as shape
from webnn.store.ports import MAX_COMMIT
from webnn.store.rows import ClientRow, EvaluationRow, LedgerRow, Row, UpdateRow

COLLECTION_LIMIT = 10 * 2**30
TRANSACTION_LIMIT = 4 * 2**20
TENSORS = 8  # of a small convolutional network: four layers with kernel and bias

RUN = "mnist-of-the-winter"
ID = "0193b1c2d3e4" + "5" * 20
SHA256 = "a" * 64
VERSION = 1_234_567
NOW = 1_733_000_000_000


def size(row: Row) -> int:
    """Bytes of a row."""
    return sum(len(name.encode()) + _value(value) for name, value in row.serialize().items())


def _value(typed: dict[str, str]) -> int:
    ((kind, value),) = typed.items()
    if kind == "N":
        return len(value.strip("-0.")) // 2 + 2
    return len(value.encode())


def update(encoding: str, state: UpdateState) -> int:
    """Bytes of an update's row."""
    tensors = TENSORS if encoding == "uint8" else 0
    announced = Update(
        run=RUN,
        update_id=ID,
        client_id=ID,
        base_version=VERSION,
        generation=0,
        local_steps=16,
        examples=1024,
        bytes=4_000_000,
        sha256=SHA256,
        encoding=encoding,
        created_at=NOW,
        expires_at=NOW,
        quantization=(Quantization(-0.012345678901234567, 9.876543210987654e-05),) * tensors,
        loss=0.12345678901234567,
        accuracy=0.984375,
    )
    record = announced if state is UpdateState.PENDING else announced.merged(VERSION, 12, 0.2773500981126146)
    return size(UpdateRow(item=shape.update_item(ID), **shape.update_attributes(record)))


def ledger(updates: int) -> int:
    """Bytes of the ledger row of a commit."""
    entry = LedgerEntry(
        run=RUN,
        version=VERSION,
        from_version=VERSION - updates,
        generation=0,
        at=NOW,
        attempt=ID,
        steps=VERSION * 16,
        checkpoint_key=f"checkpoints/{RUN}/{VERSION:012d}-{ID}.bin",
        sha256=SHA256,
        bytes=4_000_000,
        updates=(MergedUpdate(ID, ID, VERSION, 12, 0.2773500981126146),) * updates,
        examples=1024 * updates,
        update_bytes=4_000_000 * updates,
    )
    attributes = {**shape.attributes(entry), "item": shape.ledger_item(VERSION)}
    return size(LedgerRow(**attributes))


def others() -> dict[str, int]:
    """Bytes of the rows that there are fewer of, with their entries in the index `seen`."""
    seen = len("run" + RUN + "item" + shape.client_item(ID) + "seen_at") + 8
    client = Client(RUN, ID, NOW, NOW, 1000)
    evaluation = Evaluation(RUN, VERSION, ID, ID, 0.12345678901234567, 0.9843, 10_000, NOW)
    client_row = ClientRow(item=shape.client_item(ID), **shape.attributes(client))
    evaluation_row = EvaluationRow(item=shape.evaluation_item(VERSION), **shape.attributes(evaluation))
    return {"client": size(client_row) + seen, "evaluation": size(evaluation_row)}


def main() -> None:
    """Prints the sizes and the number of updates."""
    rows, found = [], {}
    for encoding in ("float32", "uint8"):
        merged, pending = update(encoding, UpdateState.MERGED), update(encoding, UpdateState.PENDING)
        for batch in (1, 10, MAX_COMMIT):
            each = merged + ledger(batch) / batch
            most = int(COLLECTION_LIMIT / each)
            rows.append([encoding, f"{batch}", f"{pending}", f"{merged}", f"{each:.0f}", f"{most / 1e6:.1f} M"])
            found[f"{encoding}/{batch}"] = {"bytes_per_update": round(each), "updates_per_run": most}
    print(table(["encoding", "updates a commit", "pending row", "merged row", "with ledger", "updates a run"], rows))
    transaction = ledger(MAX_COMMIT) + MAX_COMMIT * update("uint8", UpdateState.MERGED)
    print(f"\nledger row of {MAX_COMMIT} updates: {ledger(MAX_COMMIT)} bytes (a row may have 409600)")
    print(f"largest transaction: about {transaction} bytes (may have {TRANSACTION_LIMIT})")
    print(f"other rows: {others()}")
    print(json.dumps({"benchmark": "row_sizes", "ledger_row_95": ledger(MAX_COMMIT), **found, "others": others()}))


if __name__ == "__main__":
    main()
