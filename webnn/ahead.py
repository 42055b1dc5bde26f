"""Reading ahead: fetch many things in their order, some at the same time, within bounds.

A small body comes from S3 in 100 to 200 milliseconds and is merged in one, so a commit of 95 that reads one after the
other waits nearly all of its time.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from typing import Protocol, TypeVar

Item = TypeVar("Item")
Found = TypeVar("Found")

# In flight and at hand together: 95 small bodies in three turns of S3's latency (bench/scaling.py). 32 MB is what may
# lie in memory beside the models. What is larger is read one at a time.
MOST = 32
MOST_BYTES = 32_000_000


class Ahead(Protocol):
    """How to read many."""

    def __call__(
        self, fetch: Callable[[Item], Found], items: Sequence[Item], size: Callable[[Item], int]
    ) -> Iterator[Callable[[], Found]]:
        """For each item, in order, a function that gives what was fetched or raises what fetching raised.

        Args:
            fetch: May be called from threads.
            items: What to fetch.
            size: Bytes that an item takes once fetched.
        """
        ...


def one_by_one(
    fetch: Callable[[Item], Found],
    items: Sequence[Item],
    size: Callable[[Item], int],  # noqa: ARG001  # see `Ahead`
) -> Iterator[Callable[[], Found]]:
    """Reads each when it is asked for: one at a time is in memory, and nothing happens at the same time."""
    return (partial(fetch, item) for item in items)


def threaded(pool: Executor, most: int = MOST, most_bytes: int = MOST_BYTES) -> Ahead:
    """Reads in the threads of a pool, at most `most` items and `most_bytes` ahead, but at least one."""

    def ahead(
        fetch: Callable[[Item], Found], items: Sequence[Item], size: Callable[[Item], int]
    ) -> Iterator[Callable[[], Found]]:
        waiting = deque(items)
        reading: deque[tuple[int, Future[Found]]] = deque()
        held = 0
        try:
            while waiting or reading:
                while waiting and len(reading) < most and (not reading or held + size(waiting[0]) <= most_bytes):
                    item = waiting.popleft()
                    held += size(item)
                    reading.append((size(item), pool.submit(fetch, item)))
                taken, future = reading.popleft()
                yield future.result
                del future  # or what it holds would lie in memory while the next are read
                held -= taken
        finally:  # whoever gives up leaves the pool to the next
            for _, future in reading:
                future.cancel()

    return ahead
