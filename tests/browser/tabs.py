"""A page under test: what it tells of itself and what it asks for."""

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import ConsoleMessage, Page, Request

from webnn.local.speakers import EVENT_MARK


@dataclass
class Tab:
    """A page, with what it told and what it asked for."""

    page: Page
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def wait_for(self, kind: str, count: int = 1, timeout: float = 60.0) -> list[dict[str, Any]]:
        """Waits until the page has told `count` events of a kind."""
        for _ in range(int(timeout / 0.1)):
            if len(self.of(kind)) >= count:
                return self.of(kind)
            self.page.wait_for_timeout(100)
        tail = self.events[-8:]
        raise AssertionError(f"{len(self.of(kind))} of {count} {kind!r} in {timeout} s; last {tail}; {self.failures}")

    def hear(self, message: ConsoleMessage) -> None:
        _, mark, rest = message.text.partition(EVENT_MARK)
        if mark:
            self.events.append(json.loads(rest))

    def asked(self, request: Request) -> None:
        self.requests.append(request.url)
