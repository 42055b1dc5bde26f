"""Rota: who comes first when time may not be enough for all."""

import zlib
from typing import TypeVar

Item = TypeVar("Item")


def from_elsewhere(items: list[Item], now: int) -> list[Item]:
    """The same, beginning somewhere else each time; so whoever comes too late today is first another time.

    Args:
        items: In any order that stays the same.
        now: Milliseconds since 1970.
    """
    start = zlib.crc32(str(now).encode()) % max(1, len(items))
    return items[start:] + items[:start]
