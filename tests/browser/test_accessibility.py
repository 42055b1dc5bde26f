"""Pages for everybody: axe-core finds nothing on any page in any state, and a keyboard is enough."""

from collections.abc import Callable

import pytest
from looks import DARK, LIGHT, PAGES, PHONE, PHONE_DARK, Look, sticking_out, wear
from playwright.sync_api import Page, Route
from tabs import Tab

from webnn.local.stage import CHECKOUT, LocalStage

pytestmark = pytest.mark.browser

Open = Callable[..., Tab]

AXE = CHECKOUT / "web" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (rules) => {
  const { violations } = await axe.run({ runOnly: rules, resultTypes: ["violations"] });
  const where = (nodes) => nodes.map(({ target }) => target.join(" ")).join(", ");
  return violations.map(({ id, help, nodes }) => `${id} (${help}): ${where(nodes)}`);
}"""
FOCUSABLE = "a[href], button:enabled, input:enabled, select:enabled, textarea:enabled, summary, [tabindex='0']"
CAN_BE_FOCUSED = f"""() => [...document.querySelectorAll("{FOCUSABLE}")].filter((one) => one.checkVisibility())
  .map((one) => one.id || one.className || one.tagName)"""
FOCUSED = """() => {
  const one = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(one);
  return [one.id || one.className || one.tagName, outlineStyle !== "none" && parseFloat(outlineWidth) >= 2];
}"""
MOVES = "() => document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime === Infinity).length"


def complaints(page: Page, looks: tuple[Look, ...]) -> list[str]:
    """What axe-core finds, and what sticks out, whatever the page looks like."""
    if not page.evaluate("() => 'axe' in globalThis"):
        page.evaluate(AXE.read_text())
    found = []
    for look in looks:
        wear(page, look)
        found += [f"{look.name}: {one}" for one in [*page.evaluate(RUN_AXE, RULES), *sticking_out(page)]]
    return found


def address_of(stage: LocalStage, page: str) -> str:
    return stage.page.replace("index.html", page)


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_before_there_is_a_run(stage: LocalStage, open_tab: Open, page: str) -> None:
    tab = open_tab("nobody-made-it", address_of(stage, page))
    tab.page.get_by_role("heading", name="No such run").wait_for()
    assert complaints(tab.page, (LIGHT, PHONE_DARK)) == []

    def empty(route: Route) -> None:
        route.fulfill(json={"runs": []}, headers={"Access-Control-Allow-Origin": "*"})

    tab.page.route("**/runs", empty)
    tab.page.goto(address_of(stage, page))
    tab.page.get_by_role("heading", name="No run yet").wait_for()
    assert complaints(tab.page, (LIGHT, PHONE_DARK)) == []

    unanswered: list[Route] = []

    def hold(route: Route) -> None:
        unanswered.append(route)

    tab.page.route("**/config.json", hold)
    tab.page.reload()
    tab.page.get_by_role("heading", name="Looking for a run…").wait_for()
    assert complaints(tab.page, (LIGHT, PHONE_DARK)) == []
    for route in unanswered:
        route.abort()
    tab.page.get_by_text("The server does not answer. Trying again…").wait_for()
    assert complaints(tab.page, (LIGHT,)) == []


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_while_a_run_has_no_history(stage: LocalStage, run: str, open_tab: Open, page: str) -> None:
    tab = open_tab(run, address_of(stage, page))
    tab.page.get_by_role("heading", name="Handwritten digits").wait_for()
    assert complaints(tab.page, (LIGHT, PHONE_DARK)) == []


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_when_a_run_has_a_history(stage: LocalStage, trained: str, open_tab: Open, page: str) -> None:
    tab = open_tab(trained, address_of(stage, page))
    tab.page.get_by_role("heading", name="Handwritten digits").wait_for()
    tab.page.get_by_text("97.5 %").first.wait_for()
    for summary in tab.page.locator("summary:visible").all():
        summary.click()
    assert complaints(tab.page, (LIGHT, DARK, PHONE, PHONE_DARK)) == []


def test_axe_finds_nothing_where_visitors_bring_data_of_their_own(run: str, open_tab: Open) -> None:
    tab = open_tab(run)
    tab.page.get_by_text("Train on data of your own").click()
    assert complaints(tab.page, (LIGHT, DARK, PHONE, PHONE_DARK)) == []


def test_axe_finds_nothing_while_a_visitor_trains_pauses_and_is_done(
    stage: LocalStage, run: str, open_tab: Open
) -> None:
    tab = open_tab(run, query="&start")
    tab.wait_for("uploaded", 2)
    assert complaints(tab.page, (LIGHT, PHONE_DARK)) == []
    tab.page.get_by_role("button", name="Pause").click()
    tab.wait_for("paused")
    assert complaints(tab.page, (DARK, PHONE)) == []
    stage.services.control.finish(run)
    tab.page.get_by_role("button", name="Finished").wait_for()
    assert complaints(tab.page, (LIGHT, PHONE_DARK)) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_keyboard_reaches_everything_in_order_and_shows_where_it_is(
    stage: LocalStage, trained: str, open_tab: Open, page: str
) -> None:
    tab = open_tab(trained, address_of(stage, page))
    tab.page.get_by_role("heading", name="Handwritten digits").wait_for()
    expected = tab.page.evaluate(CAN_BE_FOCUSED)
    assert len(expected) >= 3
    reached = []
    for _ in expected:
        tab.page.keyboard.press("Tab")
        name, seen = tab.page.evaluate(FOCUSED)
        assert seen, name
        reached.append(name)
    assert reached == expected


def test_a_keyboard_starts_slows_down_and_pauses(run: str, open_tab: Open) -> None:
    tab = open_tab(run)
    toggle, power = tab.page.locator("#toggle:enabled"), tab.page.locator("#power")
    toggle.focus()
    tab.page.keyboard.press("Space")
    tab.wait_for("uploaded")
    power.focus()
    for key in ("Home", "ArrowRight", "PageUp"):
        tab.page.keyboard.press(key)
    assert 2 < int(power.input_value()) < 30
    toggle.focus()
    tab.page.keyboard.press("Enter")
    tab.wait_for("paused")
    summary = tab.page.locator("summary").first
    summary.focus()
    tab.page.keyboard.press("Enter")
    assert tab.page.locator("details[open]").count() == 1


def test_nothing_moves_where_people_want_it_so(run: str, open_tab: Open) -> None:
    tab = open_tab(run, query="&start")
    tab.wait_for("uploaded")
    tab.page.emulate_media(reduced_motion="no-preference")
    assert tab.page.evaluate(MOVES) > 0
    tab.page.emulate_media(reduced_motion="reduce")
    assert tab.page.evaluate(MOVES) == 0


@pytest.mark.parametrize("page", PAGES)
def test_text_of_twice_the_size_still_fits(stage: LocalStage, trained: str, open_tab: Open, page: str) -> None:
    tab = open_tab(trained, address_of(stage, page))
    tab.page.get_by_text("97.5 %").first.wait_for()
    before = tab.page.evaluate(FONT_SIZE)
    tab.page.add_style_tag(content="html { font-size: 200%; }")
    assert tab.page.evaluate(FONT_SIZE) == 2 * before
    wear(tab.page, LIGHT)
    assert sticking_out(tab.page) == []


FONT_SIZE = "() => parseFloat(getComputedStyle(document.querySelector('.lead')).fontSize)"
