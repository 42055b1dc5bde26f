"""`Peers` on DynamoDB: the part of the catalog that clients swap updates by."""

from pynamodb.expressions.condition import Condition
from pynamodb.transactions import TransactWrite

from webnn.core.records import Exchange, Offer
from webnn.errors import Missing
from webnn.store import records_in_rows as shape
from webnn.store.answers import answers
from webnn.store.rows import Rows


class DynamoPeers:
    """What `DynamoCatalog` inherits."""

    _rows: Rows

    def offers(self, run: str, limit: int) -> list[Offer]:
        """See `Peers.offers`."""
        model = self._rows.offer
        left = model.item.startswith(shape.OFFERS)
        with answers("read what was left"):
            found = model.query(run, left, scan_index_forward=False, consistent_read=True, limit=limit)
            return [shape.record(Offer, row) for row in found]

    def last_offer(self, run: str, client_id: str) -> Offer | None:
        """See `Peers.last_offer`."""
        try:
            with answers("nothing was left"):
                row = self._rows.offer.get(run, shape.offering_item(client_id), consistent_read=True)
                return shape.record(Offer, row)
        except Missing:
            return None

    def exchange(self, run: str, update_id: str) -> Exchange:
        """See `Peers.exchange`."""
        with answers(f"update {update_id!r} was not exchanged"):
            row = self._rows.exchange.get(run, shape.exchange_item(update_id), consistent_read=True)
            return shape.record(Exchange, row)

    def swap(self, exchange: Exchange, taken: Offer | None, previous: Offer | None) -> None:
        """See `Peers.swap`."""
        rows, run = self._rows, exchange.run
        mine = shape.attributes(Offer(run, exchange.update_id, exchange.client_id))
        with answers("another client was faster"), TransactWrite(connection=rows.connection) as transaction:
            told = rows.exchange(item=shape.exchange_item(exchange.update_id), **shape.attributes(exchange))
            transaction.save(told, rows.exchange.item.does_not_exist())
            last = rows.offer(item=shape.offering_item(exchange.client_id), **mine)
            transaction.save(last, self._is_last(previous))
            transaction.save(rows.offer(item=shape.offer_item(exchange.update_id), **mine))
            if previous is not None and previous.update_id != exchange.update_id:  # or it was exchanged: see above
                transaction.delete(rows.offer(run, shape.offer_item(previous.update_id)))
            if taken is not None:
                gone = rows.offer(run, shape.offer_item(taken.update_id))
                transaction.delete(gone, rows.offer.item.exists())

    def _is_last(self, previous: Offer | None) -> Condition:
        model = self._rows.offer
        if previous is None:
            return model.item.does_not_exist()
        return model.update_id == previous.update_id
