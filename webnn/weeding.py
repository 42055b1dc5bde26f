"""Weeding: goes through blobs in the order of their keys and deletes those that are not needed."""

from collections.abc import Callable, Iterator
from enum import Enum, auto
from itertools import compress, takewhile

from msgspec import Struct

from webnn.store.ports import MAX_DELETE, Blob, Blobs


class Verdict(Enum):
    """What becomes of a blob."""

    KEEP = auto()
    DELETE = auto()
    STOP = auto()  # neither this one nor what comes after it is decided on


class Weeded(Struct, frozen=True):
    """What became of some blobs.

    Attributes:
        key: Of the last of them.
        deleted: How many were deleted.
        bytes: In those.
    """

    key: str
    deleted: int
    bytes: int


def weed(blobs: Blobs, prefix: str, after: str, verdict: Callable[[Blob], Verdict]) -> Iterator[Weeded]:
    """Goes through the blobs below a prefix and behind a key, page by page, until the end or a `STOP`.

    Raises:
        Unavailable: Some of a page could not be deleted. Others of it may be gone.
    """
    while page := blobs.listed(prefix, after, MAX_DELETE):
        verdicts = list(takewhile(lambda found: found is not Verdict.STOP, map(verdict, page)))
        doomed = list(compress(page, (found is Verdict.DELETE for found in verdicts)))
        if doomed:
            blobs.delete([blob.key for blob in doomed])
        if verdicts:
            yield Weeded(page[len(verdicts) - 1].key, len(doomed), sum(blob.bytes for blob in doomed))
        if len(verdicts) < len(page):
            return
        after = page[-1].key
