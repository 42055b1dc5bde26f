"""What people meet on the two pages besides training."""

from collections.abc import Callable

import pytest
import requests
from tabs import Tab

from webnn.local.stage import LocalStage

pytestmark = pytest.mark.browser

COLOURS = "element => { const style = getComputedStyle(element); return [style.color, style.backgroundColor]; }"
SETTLED_MS = 500  # colours change over 150 ms


def test_every_link_leads_somewhere(stage: LocalStage, run: str, open_tab: Callable[..., Tab]) -> None:
    links = [link for page in (stage.page, stage.watcher) for link in links_of(open_tab(run, page))]
    assert len(links) == 4
    with requests.Session() as session:
        session.trust_env = False
        assert [session.get(link, timeout=10).status_code for link in links] == [200] * 4


def links_of(tab: Tab) -> list[str]:
    tab.page.get_by_role("heading", name="Handwritten digits").wait_for()
    found: list[str] = tab.page.eval_on_selector_all("a[href]", "found => found.map(one => one.href)")
    return found


def test_the_button_can_be_read_while_it_is_pointed_at(run: str, open_tab: Callable[..., Tab]) -> None:
    button = open_tab(run).page.locator("#toggle")
    for name in ("Start", "Pause", "Continue"):
        button.filter(has_text=name).wait_for()
        button.hover()
        button.page.wait_for_timeout(SETTLED_MS)
        text, background = button.evaluate(COLOURS)
        assert text != background, name
        button.click()


@pytest.mark.parametrize("page", ["index.html", "watch.html"])
def test_a_run_that_is_not_there_is_said_to_be_so(stage: LocalStage, open_tab: Callable[..., Tab], page: str) -> None:
    tab = open_tab("nobody-made-it", stage.page.replace("index.html", page))
    tab.page.get_by_role("heading", name="No such run").wait_for()
    tab.page.get_by_text("There is no run named “nobody-made-it” here.").wait_for()
