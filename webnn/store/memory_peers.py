"""`Peers` in memory: the part of the catalog that clients swap updates by."""

from heapq import nlargest
from threading import RLock

from webnn.core.records import Exchange, Offer
from webnn.errors import Conflict, Missing


class MemoryPeers:
    """What `MemoryCatalog` inherits."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._offers: dict[tuple[str, str], Offer] = {}  # by run and update
        self._last: dict[tuple[str, str], Offer] = {}  # by run and client
        self._exchanges: dict[tuple[str, str], Exchange] = {}

    def offers(self, run: str, limit: int) -> list[Offer]:
        """See `Peers.offers`."""
        with self._lock:
            left = [offer for (name, _), offer in self._offers.items() if name == run]
        return nlargest(limit, left, key=lambda offer: offer.update_id)

    def last_offer(self, run: str, client_id: str) -> Offer | None:
        """See `Peers.last_offer`."""
        with self._lock:
            return self._last.get((run, client_id))

    def exchange(self, run: str, update_id: str) -> Exchange:
        """See `Peers.exchange`."""
        with self._lock:
            found = self._exchanges.get((run, update_id))
        if found is None:
            raise Missing(f"update {update_id!r} was not exchanged")
        return found

    def swap(self, exchange: Exchange, taken: Offer | None, previous: Offer | None) -> None:
        """See `Peers.swap`."""
        run, mine = exchange.run, Offer(exchange.run, exchange.update_id, exchange.client_id)
        with self._lock:
            if (run, exchange.update_id) in self._exchanges:
                raise Conflict(f"update {exchange.update_id} was exchanged before")
            if taken is not None and (run, taken.update_id) not in self._offers:
                raise Conflict(f"update {taken.update_id} is taken")
            if self._last.get((run, exchange.client_id)) != previous:
                raise Conflict(f"client {exchange.client_id} left another")
            for gone in (taken, previous):
                if gone is not None:
                    self._offers.pop((run, gone.update_id), None)
            self._exchanges[run, exchange.update_id] = exchange
            self._offers[run, exchange.update_id] = self._last[run, exchange.client_id] = mine
