"""What people meet on the pages besides training."""

import re
from collections.abc import Callable

import pytest
import requests
from playwright.sync_api import Locator, Page, expect
from tabs import Tab

from webnn.local.stage import LocalStage

pytestmark = pytest.mark.browser

COLOURS = "element => { const style = getComputedStyle(element); return [style.color, style.backgroundColor]; }"
# What is written on canvases.
DRAWN_TEXTS = """const drawn = (globalThis.drawn = new Set()), { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
  drawn.add(text);
  fillText.call(this, text, ...place);
};"""
SETTLED_MS = 500  # colours change over 150 ms


def test_every_link_leads_somewhere(stage: LocalStage, run: str, open_tab: Callable[..., Tab]) -> None:
    pages = [stage.page, stage.watcher, stage.page.replace("index.html", "try.html")]
    links = [link for page in pages for link in links_of(open_tab(run, page))]
    assert len(links) == 9
    with requests.Session() as session:
        session.trust_env = False
        assert [session.get(link, timeout=10).status_code for link in links] == [200] * 9


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


@pytest.mark.parametrize("page", ["index.html", "watch.html", "try.html"])
def test_a_run_that_is_not_there_is_said_to_be_so(stage: LocalStage, open_tab: Callable[..., Tab], page: str) -> None:
    tab = open_tab("nobody-made-it", stage.page.replace("index.html", page))
    tab.page.get_by_role("heading", name="No such run").wait_for()
    tab.page.get_by_text("There is no run named “nobody-made-it” here.").wait_for()
    expect(tab.page.locator("main > :visible")).to_have_count(1)  # nothing to press or to wait for
    expect(tab.page.locator(".links a:visible")).to_have_count(0)
    expect(tab.page.locator(".brand")).to_be_visible()


def test_a_volunteers_chart_counts_this_machines_steps_and_there_is_no_speed_while_the_run_is_paused(
    stage: LocalStage, run: str, open_tab: Callable[..., Tab]
) -> None:
    tab = open_tab(run, query="&start", prepare=lambda page: page.add_init_script(DRAWN_TEXTS))
    tab.page.wait_for_function("drawn.has('your steps')")
    expect(tab.page.locator("#speed")).to_contain_text("examples/s", timeout=60_000)
    assert not tab.page.evaluate("drawn.has('steps')")
    stage.services.control.pause(run)
    tab.page.get_by_text("Waiting: the run is paused").wait_for()
    assert tab.page.locator("#speed").inner_text() == "\N{EN DASH}"


def test_what_trains_is_loaded_while_one_reads_unless_every_byte_is_paid_for(
    run: str, open_tab: Callable[..., Tab]
) -> None:
    reads = open_tab(run)
    reads.until(lambda: any("/worker-" in one for one in reads.requests), "request for the worker's program")
    assert not reads.events

    def saving(page: Page) -> None:
        page.add_init_script("Object.defineProperty(navigator, 'connection', { value: { saveData: true } })")

    saves = open_tab(run, prepare=saving)
    saves.until(lambda: any("/live/" in one for one in saves.requests), "request for the live object")
    saves.page.wait_for_load_state("networkidle")
    assert not any("/worker-" in one for one in saves.requests)
    saves.page.get_by_role("button", name="Start").click()
    saves.wait_for("uploaded")


def test_a_pause_before_the_client_is_there_is_kept(run: str, open_tab: Callable[..., Tab]) -> None:
    tab = open_tab(run)
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/tasks") else None)
    button = tab.page.locator("#toggle")
    tab.page.locator("#toggle:enabled").wait_for()
    button.evaluate("button => { button.click(); button.click(); }")
    button.filter(has_text="Continue").wait_for()
    tab.page.wait_for_timeout(3000)
    assert len(asked) <= 1  # the question that was under way
    button.click()
    tab.page.get_by_text("Training from version").first.wait_for()


def test_a_browser_that_forbids_storage_trains_all_the_same(run: str, open_tab: Callable[..., Tab]) -> None:
    button = without(open_tab(run), "Object.defineProperty(globalThis, 'sessionStorage', { get() { throw Error(); } })")
    button.filter(has_text="Start").click()
    button.page.get_by_text("Training from version").first.wait_for()


def test_a_browser_that_forbids_workers_is_told_that_it_cannot_train(run: str, open_tab: Callable[..., Tab]) -> None:
    button = without(open_tab(run), "globalThis.Worker = class { constructor() { throw Error(); } }")
    button.filter(has_text="Start").click()
    button.page.get_by_text("Training could not start in this browser.").wait_for()
    button.filter(has_text="Start again").wait_for()


def test_a_browser_that_cannot_train_is_told_so_plainly(run: str, open_tab: Callable[..., Tab]) -> None:
    """Why, in the words of those who build browsers, is for who wants to know."""
    page = open_tab(run, prepare=lambda page: page.route("**/*.wasm", lambda route: route.abort())).page
    page.locator("#toggle:enabled").click()
    expect(page.locator("#status")).to_have_text(re.compile("^This browser cannot train this model[^:;(]*$"))
    expect(page.get_by_text(re.compile("wasm: "))).to_be_hidden()
    page.get_by_text("The reasons, for who wants to know").click()
    expect(page.get_by_text(re.compile("wasm: "))).to_be_visible()


def without(tab: Tab, forbidding: str) -> Locator:
    """The button of a page in which something is forbidden."""
    tab.page.add_init_script(forbidding)
    tab.page.reload()
    return tab.page.locator("#toggle")
