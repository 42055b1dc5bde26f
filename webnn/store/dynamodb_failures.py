"""`Failures` on DynamoDB: the part of the catalog that says what keeps clients from training."""

from webnn.core.records import Failure
from webnn.store import records_in_rows as shape
from webnn.store.answers import answers
from webnn.store.rows import Rows


class DynamoFailures:
    """What `DynamoCatalog` inherits."""

    _rows: Rows

    def record_failure(self, failure: Failure) -> None:
        """See `Failures.record_failure`."""
        with answers("note the failure"):
            item = shape.failure_item(failure.client_id)
            self._rows.failure(item=item, **shape.attributes(failure)).save()

    def failures(self, run: str, limit: int) -> list[Failure]:
        """See `Failures.failures`."""
        model = self._rows.failure
        reported = model.item.startswith(shape.FAILURES)
        with answers("read what clients reported"):
            found = model.query(run, reported, scan_index_forward=False, consistent_read=True, limit=limit)
            return [shape.record(Failure, row) for row in found]
