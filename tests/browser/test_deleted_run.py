"""Pages whose run is deleted while they are open, and made anew under its name."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from tabs import Tab

from webnn.cutting import of_dataset
from webnn.datasets import Dataset
from webnn.local.stage import CHECKOUT, LocalStage
from webnn.publish import publish

pytestmark = pytest.mark.browser

LOOK_AGAIN = "dispatchEvent(new Event('online'))"


def look_again(page: Page, what: str, text: str) -> None:
    """Until the page shows it: a page that waits for its next look is as right as one that is at it."""
    for _ in range(60):
        page.evaluate(LOOK_AGAIN)
        if text in (page.locator(what).text_content() or ""):
            return
        page.wait_for_timeout(250)
    expect(page.locator(what)).to_contain_text(text, timeout=1)


def test_a_run_that_is_deleted_is_gone_from_its_pages_and_another_of_its_name_is_another(
    stage: LocalStage, run: str, dataset: Dataset, open_tab: Callable[..., Tab]
) -> None:
    # With the part of the page in its address that somebody's link named.
    trains, watches = open_tab(run, query="&start#mine"), open_tab(run, address=stage.watcher)
    tries = open_tab(run, address=stage.page.replace("index.html", "try.html"))
    expect(tries.page.locator("#title")).to_have_text("Handwritten digits")
    trains.wait_for("uploaded")
    expect(watches.page.locator("#state")).to_have_text("Running now")

    list(stage.services.remover.delete(run))
    for page in (trains.page, watches.page, tries.page):
        look_again(page, "#title", "No such run")
        expect(page.locator(".links a:visible")).to_have_count(0)
        expect(page.locator("#trouble")).to_contain_text(f"There is no run named “{run}” here.")
    expect(watches.page.locator("#state")).to_have_text("Not running")
    expect(watches.page.locator("body")).to_have_attribute("data-mode", "idle")
    expect(trains.page.locator("#status")).to_have_text("This run is no longer here.")
    expect(trains.page.locator("#toggle")).to_be_disabled()

    document = json.loads((CHECKOUT / "examples" / "digits" / "spec.json").read_text())
    document |= {"title": "Born again", "end": {}}
    publish(stage.services.runs, run, document, of_dataset(document, dataset), np.random.default_rng(7))
    for page in (trains.page, watches.page, tries.page):
        look_again(page, "#title", "Born again")
        expect(page.locator(".links a:visible")).to_have_count(2)
    expect(watches.page.locator("#state")).to_have_text("Running now")
    expect(watches.page.locator("#trouble")).to_be_empty()
    expect(trains.page.locator("#status")).to_contain_text("Press Start")
    expect(trains.page.locator("#toggle")).to_have_text("Start")
    expect(trains.page.locator("#toggle")).to_be_enabled()
    joined = len(trains.of("joined"))
    trains.page.locator("#toggle").click()
    trains.wait_for("joined", joined + 1)
    assert not trains.failures
    assert not watches.failures
    assert not tries.failures
