"""`Removal` on DynamoDB: the part of the catalog that a run is taken away by."""

from pynamodb.transactions import TransactWrite

from webnn.core.records import Status
from webnn.errors import Missing
from webnn.store import records_in_rows as shape
from webnn.store.answers import answers
from webnn.store.rows import ALL_RUNS, HeadRow, Rows

KEPT = (shape.RUN, shape.HEAD, shape.GONE)
PAGE = 1000


class DynamoRemoval:
    """What `DynamoCatalog` inherits."""

    _rows: Rows

    def next_generation(self, run: str) -> int:
        """See `Removal.next_generation`."""
        try:
            with answers("no run of this name was deleted"):
                return int(self._rows.gone.get(run, shape.GONE, consistent_read=True).generation)
        except Missing:
            return 0

    def delist(self, run: str) -> None:
        """See `Removal.delist`. Finds it by its name alone, so that no damage to its row keeps it there."""
        model = self._rows.run
        with answers(f"take run {run!r} off the list"):
            listed = model.query(
                ALL_RUNS,
                model.item.startswith("run#"),
                consistent_read=True,
                attributes_to_get=["item"],
            )
            for row in listed:
                if row.item.rpartition("#")[2] == run:
                    model(ALL_RUNS, row.item).delete()

    def delete_rows(self, run: str, limit: int) -> int:
        """See `Removal.delete_rows`. The batches are of 25, and what DynamoDB leaves of one is sent again."""
        model = self._rows.run
        with answers(f"delete rows of run {run!r}"):
            # Only keys are read: a row that is damaged otherwise goes like any other.
            found = model.query(run, consistent_read=True, limit=limit + len(KEPT), attributes_to_get=["item"])
            items = [row.item for row in found if row.item not in KEPT][:limit]
            with model.batch_write() as batch:
                for item in items:
                    batch.delete(model(run, item))
        return len(items)

    def delete_run(self, run: str, generation: int) -> None:
        """See `Removal.delete_run`."""
        rows, head = self._rows, self._rows.head(run, shape.HEAD)
        over = (HeadRow.status == str(Status.FINISHED)) & (HeadRow.generation < generation)
        with (
            answers(f"run {run!r} is not finished"),
            TransactWrite(connection=rows.connection) as transaction,
        ):
            transaction.delete(head, rows.head.item.does_not_exist() | over)
            transaction.delete(rows.run(run, shape.RUN))
            transaction.save(rows.gone(run, shape.GONE, generation=generation))
