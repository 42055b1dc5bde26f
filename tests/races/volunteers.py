"""Those who send updates while everything around them is killed, and what they were promised."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import requests
from samples import body_of
from transfer import upload

from webnn.core.wire import sha256
from webnn.errors import Unavailable
from webnn.tokens import Member
from webnn.updates import Announcement
from webnn.wiring import Services, new_id

T = TypeVar("T")
# Announces and uploads a body; gives the id of its update.
Contribute = Callable[[bytes], str]

WORKERS, RETRY_SECONDS, GIVE_UP_SECONDS = 8, 0.3, 180.0
# Every update counts in full and deltas are small whole numbers: so the sum of all is exact, in any order.
MERGE = {"rule": {"name": "delta", "discounting": {"name": "constant"}}}
UNANSWERED = (Unavailable, requests.ConnectionError, requests.Timeout)


@dataclass
class Accepted:
    """The updates whose announcement and upload were both answered, with what they add."""

    deltas: dict[str, list[float]] = field(default_factory=dict)
    unanswered: int = 0


def a_delta(number: int) -> list[float]:
    return [1.0, float(number % 17), float(number % 23 - 11)]


def an_announcement(body: bytes, base_version: int) -> Announcement:
    return Announcement(base_version, 0, 2, 8, len(body), sha256(body), "float32")


def through_stores(services: Services, run: str) -> Contribute:
    """Announces and uploads. The upload is tried again with the same ticket; an announcement would be another."""

    def contribute(body: bytes) -> str:
        base = services.catalog.head(run).version
        opened = services.updates.announce(Member(run, new_id()), an_announcement(body, base))
        insisting(lambda: upload(services.blobs, opened.ticket, body))
        return opened.update_id

    return contribute


class Volunteers:
    """Threads that contribute, each by its own way, and go on until they are answered."""

    def __init__(self, make: Callable[[], Contribute]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.accepted = Accepted()

    def stop(self) -> None:
        """No more than what is under way."""
        self._stop.set()

    def work(self, worker: int, every: float, count: int | None) -> None:
        """Sends this worker's share of so many updates, or of endlessly many, one after another."""
        contribute, begun = self._make(), time.monotonic()
        number = worker
        while not self._stop.is_set() and (count is None or number < count):
            if self._stop.wait(max(0.0, begun + number * every - time.monotonic())):
                return
            delta = a_delta(number)
            update_id = insisting(lambda: contribute(body_of(delta)), self._not_answered)  # noqa: B023
            with self._lock:
                self.accepted.deltas[update_id] = delta
            number += WORKERS

    def _not_answered(self) -> None:
        with self._lock:
            self.accepted.unanswered += 1


@contextmanager
def volunteers(make: Callable[[], Contribute], every: float, count: int | None = None) -> Iterator[Volunteers]:
    """One update every so many seconds, up to a count or until the block ends; then all are waited for."""
    found = Volunteers(make)
    with ThreadPoolExecutor(WORKERS) as pool:
        working: list[Future[None]] = [pool.submit(found.work, one, every, count) for one in range(WORKERS)]
        try:
            yield found
            if count is None:
                found.stop()
            for one in working:
                one.result()
        finally:
            found.stop()


def insisting(work: Callable[[], T], unanswered: Callable[[], None] = lambda: None) -> T:
    """Tries again for as long as an engine may take to come back."""
    end = time.monotonic() + GIVE_UP_SECONDS
    while True:
        try:
            return work()
        except UNANSWERED:
            unanswered()
            if time.monotonic() > end:
                raise
            time.sleep(RETRY_SECONDS)
