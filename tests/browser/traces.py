"""What a page's main thread was busy with, by Chromium's own trace: processor time, whatever else the machine does."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page

CATEGORIES = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "blink.user_timing"]
TASKS = {"RunTask", "ThreadControllerImpl::RunTask"}


@contextmanager
def traced(browser: Browser, page: Page) -> Iterator[list[list[float]]]:
    """Fills a list: of each stretch between two marks named `update`, the processor milliseconds of each task in it."""
    stretches: list[list[float]] = []
    browser.start_tracing(page=page, categories=CATEGORIES)
    yield stretches
    events = json.loads(browser.stop_tracing())["traceEvents"]
    marks = [event for event in events if event["name"] == "update" and event.get("cat") == "blink.user_timing"]
    process, thread = marks[0]["pid"], marks[0]["tid"]
    times = [mark["ts"] for mark in marks]
    stretches += [[] for _ in times[1:]]
    for event in events:
        if event["name"] in TASKS and (event["pid"], event["tid"]) == (process, thread) and "tdur" in event:
            later = sum(time <= event["ts"] for time in times)
            if 0 < later < len(times):
                stretches[later - 1].append(event["tdur"] / 1000)
