"""Work on its way to the server, and what became of it: `web/src/delivery.ts` and `curiosity.ts`."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from msgspec import Struct

from webnn.contributing.api import Api, Upload
from webnn.contributing.faults import Refused, Stale
from webnn.contributing.time import Left, Time
from webnn.errors import Unavailable, WebnnError

SETTLING = 1.5  # seconds in which an update has hardly been merged
MOST_UNSETTLED = 500
ASKED_PER_WAIT = 10
LONGEST_FAREWELL = 10.0

Emit = Callable[[str, dict[str, Any]], None]


class _Kept(Struct):
    """What is to be sent, with its ticket once there is one."""

    announcement: dict[str, Any]
    body: bytes
    update_id: str = ""
    upload: Upload | None = None
    expires_at: float = 0.0


class Delivery:
    """What was trained is not lost with the network: it is kept until storage has it or the server wants it no more.

    Its ticket is kept, too, because an upload whose answer was lost may have arrived: sent again under the same ticket
    it is the same update, under a new one it would be merged twice. Where a ticket is given up, the work goes with it.
    """

    def __init__(self, api: Api, time: Time, on_sent: Callable[[str, dict[str, Any]], None]) -> None:
        """Takes the API, a clock, and whom to tell of an update's id and announcement."""
        self._api, self._time, self._on_sent = api, time, on_sent
        self._kept: _Kept | None = None

    @property
    def pending(self) -> bool:
        """Whether anything is left to be sent."""
        return self._kept is not None

    def keep(self, announcement: dict[str, Any], body: bytes) -> None:
        """What is to be sent."""
        self._kept = _Kept(announcement, body)

    def deliver(self, token: str) -> None:
        """Sends what is kept; after an error it may still be pending. Raises what went wrong."""
        kept = self._kept
        if kept is None:
            return
        try:
            self._send(kept, token)
        except (WebnnError, Left) as error:
            if not _may_pass(error):
                self._kept = None
            raise
        self._kept = None
        self._on_sent(kept.update_id, kept.announcement)

    def _send(self, kept: _Kept, token: str) -> None:
        if kept.upload is None:
            ticket = self._api.announce(token, kept.announcement)
            kept.update_id, kept.upload = ticket.update_id, ticket.upload
            kept.expires_at = self._time.now() + ticket.expires_in
        if self._time.now() >= kept.expires_at:
            raise Stale("the update could not be sent while its ticket was good")
        self._api.upload(kept.upload, kept.body)


def _may_pass(error: Exception) -> bool:
    """A network may come back and a token can be renewed; after anything else sending again would be in vain."""
    return isinstance(error, Unavailable) or (isinstance(error, Refused) and error.code == "unauthorized")


class Curiosity:
    """What became of sent updates, asked for in the background. Nothing depends on it."""

    def __init__(self, api: Api, time: Time, emit: Emit) -> None:
        """Takes an API that nobody else uses, a clock, and whom to tell."""
        self._api, self._time, self._emit = api, time, emit
        self._unsettled: deque[tuple[str, float]] = deque(maxlen=MOST_UNSETTLED)
        self._thread = ThreadPoolExecutor(1)
        self._asking: Future[None] | None = None

    def sent(self, update_id: str) -> None:
        """An update was sent."""
        self._unsettled.append((update_id, self._time.now()))

    def forget(self) -> None:
        """A new membership cannot ask for the updates of the old one."""
        self._unsettled.clear()

    def wonder(self, token: str, most: int = ASKED_PER_WAIT) -> None:
        """Asks about the oldest in the background, unless it is still asking."""
        if self._asking is None or self._asking.done():
            self._asking = self._thread.submit(self._ask, token, most, SETTLING, float("inf"))

    def farewell(self, token: str) -> None:
        """Asks about all that are left, for as long as a leaving client may take."""
        if self._asking is not None:
            self._asking.result()
        self._ask(token, MOST_UNSETTLED, 0.0, self._time.now() + LONGEST_FAREWELL)

    def close(self) -> None:
        """Lets the thread go."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _ask(self, token: str, most: int, age: float, until: float) -> None:
        with suppress(WebnnError, Left, IndexError):  # forgotten meanwhile
            for _ in range(min(most, len(self._unsettled))):
                update_id, since = self._unsettled[0]
                if self._time.now() - since < age or self._time.now() > until:
                    return
                found = self._api.settled(token, update_id)
                if not self._unsettled or self._unsettled[0][0] != update_id:
                    return
                self._unsettled.popleft()
                if found.state == "pending":
                    self._unsettled.append((update_id, self._time.now()))
                    continue
                told = {"state": found.state, "reason": found.reason, "version": found.version}
                self._emit("settled", {"update_id": update_id, **told, "staleness": found.staleness})
