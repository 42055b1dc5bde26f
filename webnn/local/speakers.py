"""Child processes that print events, one JSON object on a line: clients and the pump."""

import json
from dataclasses import dataclass
from typing import Any

from webnn.errors import Unavailable
from webnn.local.processes import Child

# The page marks each event with this when asked for `events`.
EVENT_MARK = "webnn-event "


@dataclass(slots=True)
class Speaker:
    """One child and what it says of itself.

    Attributes:
        bytes_up: What a client sent so far.
        bytes_down: What it received.
        trouble: The newest error since somebody last asked; None if there was none.
    """

    process: Child
    bytes_up: int = 0
    bytes_down: int = 0
    trouble: str | None = None
    _position: int = 0

    def listen(self) -> None:
        """Reads the events printed since the last call. Raises Unavailable if the child has ended or given up."""
        self.process.check()
        lines, self._position = self.process.lines_from(self._position)
        for line in lines:
            self._hear(_event(line))

    def _hear(self, event: dict[str, Any]) -> None:
        if event.get("type") == "traffic":
            self.bytes_up, self.bytes_down = int(event["up"]), int(event["down"])
        if event.get("type") == "error":
            self.trouble = f"{self.process.name}: {event.get('message')}"
            if event.get("fatal"):
                raise Unavailable(f"{self.trouble}; it gave up")

    def asked(self) -> str | None:
        """The newest trouble, once."""
        trouble, self.trouble = self.trouble, None
        return trouble


def _event(line: str) -> dict[str, Any]:
    """The event in a printed line: Node prints just that, Chromium wraps console lines in words of its own."""
    _, mark, rest = line.partition(EVENT_MARK)
    text = rest if mark else line
    if not text.startswith("{"):
        return {}
    # Some versions of Chromium escape the quotes.
    found = _object(text)
    return (_object(text.replace('\\"', '"')) or {}) if found is None else found


def _object(text: str) -> dict[str, Any] | None:
    try:
        found, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
