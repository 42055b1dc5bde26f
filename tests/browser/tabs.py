"""A page under test: what it tells of itself and what it asks for."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

from webnn.local.speakers import EVENT_MARK


@dataclass
class Tab:
    """A page, with what it told and what it asked for."""

    page: Page
    events: list[dict[str, Any]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def wait_for(self, kind: str, count: int = 1, timeout: float = 60.0) -> list[dict[str, Any]]:
        """Waits until the page has told `count` events of a kind."""
        self.until(lambda: len(self.of(kind)) >= count, f"{count} {kind!r}", timeout)
        return self.of(kind)

    def merged(self) -> int:
        """How many of its updates it knows to be merged."""
        return sum(event["state"] == "merged" for event in self.of("settled"))

    def until(self, true: Callable[[], bool], what: str, timeout: float = 60.0) -> None:
        """Waits, and hears the page meanwhile."""
        for _ in range(int(timeout / 0.1)):
            if true():
                return
            self.page.wait_for_timeout(100)
        told = {kind: len(self.of(kind)) for kind in {event["type"] for event in self.events}}
        raise AssertionError(f"no {what} in {timeout} s; told {told}; last {self.events[-8:]}; {self.failures}")

    def hear(self, message: ConsoleMessage) -> None:
        _, mark, rest = message.text.partition(EVENT_MARK)
        if mark:
            self.events.append(json.loads(rest))
        elif message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def broke(self, error: Error) -> None:
        # Firefox calls it an error of the page when the network is gone.
        if "CORS request did not succeed" not in str(error):
            self.failures.append(str(error))

    def asked(self, request: Request) -> None:
        self.requests.append(request.url)


@contextmanager
def opening(browser: Browser, page: str) -> Iterator[Callable[..., Tab]]:
    """Gives what opens pages; what it opened is closed after the block."""
    contexts: list[BrowserContext] = []

    def open_(
        run: str,
        address: str | None = None,
        context: BrowserContext | None = None,
        query: str = "",
        prepare: Callable[[Page], object] = lambda _: None,
        **options: Any,
    ) -> Tab:
        if context is None:
            context = browser.new_context(**options)
            contexts.append(context)
        tab = Tab(context.new_page())
        tab.page.on("console", tab.hear)
        tab.page.on("request", tab.asked)
        tab.page.on("pageerror", tab.broke)
        prepare(tab.page)
        tab.page.goto(f"{address or page}?run={run}&events&backend=wasm{query}")
        return tab

    yield open_
    for context in contexts:
        context.close()
