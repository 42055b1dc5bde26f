"""Peers: clients that merge each other's updates in their own pages, where the run says so (`merge.where`).

A client leaves its newest update with the server and takes another's, in one conditional write: no update is given to
two clients, none to its own, and a newer one of the same client replaces one that nobody took. What is left, taken or
replaced is pending like any update and merged into the head, exactly once: nothing is lost, and the head is what all of
them come to, which is what validation looks at. What was rejected meanwhile, or is of a generation that was rolled
back, is given to nobody.

Whoever repeats a request whose answer was lost is told the same again, unless that is no longer to be given.
"""

import zlib
from collections.abc import Callable

from webnn.core.records import Exchange, Offer, Status, Update, UpdateState
from webnn.errors import Conflict, Missing, Unavailable
from webnn.specs import Specs
from webnn.store import keys
from webnn.store.ports import Blobs, Catalog
from webnn.tokens import Member

ATTEMPTS = 10
LOOKED_AT = 100  # offers, where the newest are unfit
# Looked at, newest first. All that come at once would want the very newest; so each begins with another of these.
NEWEST = 8
GIVEN = (UpdateState.PENDING, UpdateState.MERGED)


class Peers:
    """Swaps updates between clients."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: Blobs,
        specs: Specs,
        *,
        clock: Callable[[], int],
        pause: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Takes its stores, a clock (milliseconds since 1970), and how to wait after so many swaps that another won."""
        self._catalog = catalog
        self._pause = pause
        self._blobs = blobs
        self._specs = specs
        self._clock = clock

    def exchange(self, member: Member, update_id: str) -> Update | None:
        """Leaves one of the client's own uploaded updates; gives another client's, or None if there is none.

        Raises:
            Missing: No such run, or it merges on the server; or no such update of this client.
            Conflict: The run is not running, or the update is not uploaded yet, was refused or is of another
                generation, or the client left a newer one.
            Unavailable: A store did not answer, or too many swap at this moment.
        """
        self._check_run(member.run)
        update = self._own(member, update_id)
        told = self._told(member.run, update_id)
        if told is not None:
            return self._still_fit(told, update)
        self._check_update(update)
        told = self._swapped(update)
        return self._catalog.update(member.run, told.received) if told.received else None

    def _still_fit(self, told: Exchange, update: Update) -> Update | None:
        """What it was told before, unless that was rejected or rolled back meanwhile."""
        if not told.received or self._catalog.head(told.run).generation != update.generation:
            return None
        offer = Offer(told.run, told.received, told.received_from)
        return self._catalog.update(told.run, told.received) if self._is_fit(offer, update) else None

    def _check_run(self, run: str) -> None:
        if self._specs.of(run).merge.where != "peer":
            raise Missing(f"run {run!r} merges on the server: there is nothing to exchange")

    def _own(self, member: Member, update_id: str) -> Update:
        update = self._catalog.update(member.run, update_id)
        if update.client_id != member.client_id:
            raise Missing(f"no update {update_id!r}")
        return update

    def _told(self, run: str, update_id: str) -> Exchange | None:
        try:
            return self._catalog.exchange(run, update_id)
        except Missing:
            return None

    def _check_update(self, update: Update) -> None:
        head = self._catalog.head(update.run)
        if head.status is not Status.RUNNING:
            raise Conflict(f"the run is {head.status}")
        if update.generation != head.generation:
            raise Conflict(f"the run is at generation {head.generation}, the update at {update.generation}")
        if update.state not in GIVEN:
            raise Conflict(f"the update was {update.state}: {update.reason}")
        key = keys.update(update.run, update.update_id)
        if [blob.key for blob in self._blobs.listed(key, "", 1)] != [key]:
            raise Conflict("the update is not uploaded yet")

    def _swapped(self, update: Update) -> Exchange:
        for attempt in range(ATTEMPTS):
            previous = self._catalog.last_offer(update.run, update.client_id)
            if previous is not None and previous.update_id > update.update_id:
                raise Conflict(f"the client left a newer update, {previous.update_id}")
            taken = self._pick(update, attempt)
            if told := self._tried(update, taken, previous):
                return told
            self._pause(attempt + 1)
        raise Unavailable(f"too many swap updates of run {update.run!r} at this moment", run=update.run)

    def _pick(self, update: Update, attempt: int) -> Offer | None:
        """One of the newest of others; not the same as everybody else, and another at the next attempt."""
        newest = self._catalog.offers(update.run, NEWEST + 1)
        others = [offer for offer in newest if offer.client_id != update.client_id]
        begin = (zlib.crc32(update.client_id.encode()) + attempt) % max(len(others), 1)
        found = next((offer for offer in others[begin:] + others[:begin] if self._is_fit(offer, update)), None)
        if found is not None or len(newest) <= NEWEST:
            return found
        older = self._catalog.offers(update.run, LOOKED_AT)[len(newest) :]
        return next((one for one in older if one.client_id != update.client_id and self._is_fit(one, update)), None)

    def _is_fit(self, offer: Offer, update: Update) -> bool:
        """Whether it may be given: what a rollback took away, or what proved wrong, would come back by the peers."""
        try:
            other = self._catalog.update(offer.run, offer.update_id)
        except Missing:  # its time is over
            return False
        return other.generation == update.generation and other.state in GIVEN

    def _tried(self, update: Update, taken: Offer | None, previous: Offer | None) -> Exchange | None:
        """The exchange if it landed, now or before; None if another was faster."""
        exchange = Exchange(
            run=update.run,
            update_id=update.update_id,
            client_id=update.client_id,
            at=self._clock(),
            received=taken.update_id if taken else "",
            received_from=taken.client_id if taken else "",
        )
        try:
            self._catalog.swap(exchange, taken, previous)
        except Conflict:  # perhaps because a repeat of this very request landed
            return self._told(update.run, update.update_id)
        except Unavailable:  # it may have landed: read back, and if it did not yet, let the client ask again
            told = self._told(update.run, update.update_id)
            if told is None:
                raise
            return told
        return exchange
