"""What a client does with a URL or a ticket, on any engine."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any, TypeVar

import requests

from webnn.errors import Invalid, Missing
from webnn.store.memory import MemoryBlobs
from webnn.store.ports import Blobs, UploadTicket

T = TypeVar("T")


def fetch(blobs: Blobs, url: str) -> bytes:
    """GETs a download URL. Raises Missing when it gives nothing."""
    if isinstance(blobs, MemoryBlobs):
        return blobs.fetch(url)
    answer = requests.get(url, timeout=10)
    if answer.status_code != 200:
        raise Missing(answer.text)
    return answer.content


def upload(blobs: Blobs, ticket: UploadTicket, body: bytes) -> None:
    """POSTs a body with a ticket. Raises Invalid when it is refused."""
    if isinstance(blobs, MemoryBlobs):
        blobs.upload(ticket, body)
        return
    answer = requests.post(ticket.url, data=ticket.fields, files={"file": body}, timeout=10)
    if not answer.ok:
        raise Invalid(answer.text, status=answer.status_code)


def at_once(count: int, work: Any) -> list[Any]:
    """Calls `work(0)` … `work(count - 1)` in threads that start together; gives what each returned or raised."""
    barrier = Barrier(count)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        except Exception as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))
