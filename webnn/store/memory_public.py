"""`PublicObjects` in memory."""

import itertools
from threading import RLock

from webnn.errors import Conflict
from webnn.store.public import PublicObject


class MemoryPublicObjects:
    """Public objects in a dictionary."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._tags = itertools.count()
        self._found: dict[str, PublicObject] = {}

    def read(self, key: str) -> PublicObject | None:
        """See `PublicObjects.read`."""
        with self._lock:
            return self._found.get(key)

    def replace(self, key: str, body: bytes, tag: str | None) -> None:
        """See `PublicObjects.replace`."""
        with self._lock:
            found = self._found.get(key)
            if (found.tag if found else None) != tag:
                raise Conflict(f"{key} is another by now", key=key)
            self.keep(key, body)

    def keep(self, key: str, body: bytes) -> None:
        """See `PublicObjects.keep`."""
        with self._lock:
            self._found[key] = PublicObject(body, str(next(self._tags)))

    def delete(self, key: str, beside: str) -> None:
        """See `PublicObjects.delete`."""
        with self._lock:
            for one in [one for one in self._found if one == key or one.startswith(beside)]:
                del self._found[one]

    def address(self, key: str) -> str:
        """See `PublicObjects.address`."""
        return f"memory://{key}"
