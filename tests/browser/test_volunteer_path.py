"""What volunteers live through, in Chromium and in Firefox: nothing that they did is lost, and nothing counts twice."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

import psutil
import pytest
from lines import Line, line
from tabs import Tab

from webnn.core.records import UpdateState
from webnn.local.stage import LocalStage

pytestmark = pytest.mark.browser

Open = Callable[..., Tab]

SLEEP_SECONDS = 2.0


def test_a_visitor_joins_pauses_goes_on_and_comes_back(stage: LocalStage, run: str, visit: Open) -> None:
    tab = visit(run)
    assert tab.events == []
    press(tab, "Start")
    tab.until(lambda: tab.merged() > 0, "merged update")

    press(tab, "Pause")
    tab.page.get_by_text("Paused. Nothing runs on your machine.").wait_for()
    tab.wait_for("paused")
    settle(stage, run, tab)
    at_rest = steps_and_tasks(tab)
    tab.page.wait_for_timeout(1500)
    assert steps_and_tasks(tab) <= at_rest + 2  # what was asked for when the pause began, and its first step

    press(tab, "Continue")
    tab.until(lambda: steps_and_tasks(tab) > at_rest, "step after the pause")
    before, counted = len(tab.of("uploaded")), tab.page.locator("#merged").inner_text()
    tab.page.reload()
    tab.wait_for("uploaded", before + 2)
    assert int(tab.page.locator("#merged").inner_text()) >= int(counted)
    press(tab, "Pause")
    each_counts_once(stage, run, [tab])


def test_what_is_sent_as_the_network_goes_is_merged_once(stage: LocalStage, run: str, visit: Open) -> None:
    def uploads(request: str) -> bool:
        return request.startswith("POST") and not request.startswith(f"POST {stage.api}")

    with line() as wire:
        tab = visit(run, query="&start", proxy={"server": wire.url})
        tab.wait_for("uploaded")
        wire.cut_amid = uploads
        back_after(tab, wire)
        wire.cut_after = uploads
        back_after(tab, wire)
        press(tab, "Pause")
        each_counts_once(stage, run, [tab], all_told=True)


def test_tabs_of_one_browser_and_of_two_train_beside_each_other(stage: LocalStage, run: str, visit: Open) -> None:
    first = visit(run, query="&start")
    second = visit(run, query="&start", context=first.page.context)
    third = visit(run, query="&start")
    tabs = [first, second, third]
    for tab in tabs:
        tab.until(lambda tab=tab: tab.merged() > 0, "merged update")
    second.page.close()
    before = len(first.of("uploaded"))
    first.wait_for("uploaded", before + 1)
    for tab in (first, third):
        press(tab, "Pause")
    assert len({tab.of("joined")[0]["clientId"] for tab in tabs}) == 3
    each_counts_once(stage, run, tabs)


def test_a_machine_that_slept_goes_on_where_it_was(stage: LocalStage, run: str, visit: Open) -> None:
    with line() as wire:
        tab = visit(run, query="&start", proxy={"server": wire.url})
        tab.wait_for("uploaded")
        with asleep(wire):
            time.sleep(SLEEP_SECONDS)
        before = len(tab.of("uploaded"))
        tab.wait_for("uploaded", before + 2)
        press(tab, "Pause")
        each_counts_once(stage, run, [tab], all_told=True)


@contextmanager
def asleep(wire: Line) -> Iterator[None]:
    """Stops every process of every browser, as a closed lid does; its connections are gone when it wakes."""
    browsers = [one for one in psutil.Process().children(recursive=True) if re.match("chrom|firefox", one.name())]
    assert browsers
    for one in browsers:
        one.suspend()
    wire.cut()
    yield
    wire.mend()
    for one in browsers:
        one.resume()


def press(tab: Tab, name: str) -> None:
    tab.page.get_by_role("button", name=name).click()


def steps_and_tasks(tab: Tab) -> int:
    return len(tab.of("step")) + len(tab.of("task"))


def back_after(tab: Tab, wire: Line) -> None:
    """Waits for the line to be cut, mends it when the page has noticed, and waits for two updates more."""
    tab.until(lambda: wire.down, "cut")
    tab.wait_for("error", len(tab.of("error")) + 1)
    before = len(tab.of("uploaded"))
    wire.mend()
    tab.wait_for("uploaded", before + 2)


def settle(stage: LocalStage, run: str, tab: Tab) -> None:
    """Waits until nothing that the tab told of is pending."""
    catalog = stage.services.catalog

    def settled() -> bool:
        return all(catalog.update(run, one["updateId"]).state is not UpdateState.PENDING for one in tab.of("uploaded"))

    tab.until(settled, "end of what is pending")


def each_counts_once(stage: LocalStage, run: str, tabs: Sequence[Tab], *, all_told: bool = False) -> None:
    """Whatever was sent is in the ledger once, or has a reason why not.

    Args:
        all_told: Whether the tabs lived all the while, so that they told of all that was sent.
    """
    catalog = stage.services.catalog
    for tab in tabs:
        if not tab.page.is_closed():
            settle(stage, run, tab)
        assert not tab.failures
    told = told_by(tabs)
    merged = Counter(line.update_id for entry in catalog.ledger(run, 0, 1000) for line in entry.updates)
    assert set(merged.values()) == {1}
    assert set(told.values()) == {1}
    assert all(one in merged or catalog.update(run, one).reason for one in told)
    if all_told:  # what was on its way when the pause began may be merged before the tab is heard to tell of it
        tabs[0].until(lambda: set(merged) <= set(told_by(tabs)), "word of all that was merged")


def told_by(tabs: Iterable[Tab]) -> Counter[str]:
    """Ids of updates that were sent, and how often each was told of."""
    return Counter(event["updateId"] for tab in tabs for event in tab.of("uploaded"))
