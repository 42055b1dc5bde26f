"""On what terms visitors lend their machines, and what outlives a reload."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from tabs import Tab

pytestmark = pytest.mark.browser

Open = Callable[..., Tab]

# A machine whose battery, and a tab whose looks, are the test's to say.
SURROUNDINGS = """
const battery = Object.assign(new EventTarget(), { charging: true });
navigator.getBattery = () => Promise.resolve(battery);
let hidden = false;
Object.defineProperty(document, "hidden", { get: () => hidden });
globalThis.surround = (charging, away) => {
  battery.charging = charging;
  battery.dispatchEvent(new Event("chargingchange"));
  hidden = away;
  document.dispatchEvent(new Event("visibilitychange"));
};
"""


def test_training_holds_on_battery_and_in_a_hidden_tab_where_that_was_chosen(run: str, open_tab: Open) -> None:
    tab = open_tab(run)
    page = tab.page
    page.add_init_script(SURROUNDINGS)
    page.reload()
    page.get_by_role("button", name="Start").click()
    tab.wait_for("uploaded")
    page.evaluate("surround(false, true)")
    tab.wait_for("uploaded", len(tab.of("uploaded")) + 1)  # it was not chosen

    page.get_by_label("on battery").check()
    expect(page.locator("#status")).to_contain_text("Paused while your machine runs on its battery")
    tab.wait_for("paused")
    page.get_by_label("while this tab is hidden").check()
    page.evaluate("surround(true, true)")
    expect(page.locator("#status")).to_contain_text("Paused while this tab is hidden")
    page.evaluate("surround(true, false)")
    tab.wait_for("uploaded", len(tab.of("uploaded")) + 1)

    page.locator("#power").fill("60")
    page.reload()
    expect(page.get_by_label("on battery")).to_be_checked()
    expect(page.locator("#power")).to_have_value("60")


def test_a_browser_that_tells_nothing_of_batteries_offers_no_choice_about_them(run: str, open_tab: Open) -> None:
    tab = open_tab(run)
    tab.page.add_init_script("delete Navigator.prototype.getBattery")
    tab.page.reload()
    expect(tab.page.get_by_label("while this tab is hidden")).to_be_visible()
    expect(tab.page.get_by_label("on battery")).to_be_hidden()


def test_what_the_optimizer_has_learnt_outlives_a_reload(run: str, open_tab: Open) -> None:
    tab = open_tab(run, query="&start")
    tab.wait_for("uploaded", 3)
    assert tab.of("restored") == []
    tab.page.get_by_role("button", name="Pause").click()
    tab.wait_for("paused")
    trained = sum(one["steps"] for one in tab.of("uploaded"))
    tab.page.get_by_role("button", name="Continue").click()
    tab.wait_for("uploaded", len(tab.of("uploaded")) + 1)
    tab.page.reload()
    (restored,) = tab.wait_for("restored")

    assert restored["steps"] >= trained


def test_the_model_is_shown_beside_what_it_was_when_the_visitor_came(run: str, open_tab: Open) -> None:
    tab = open_tab(run, query="&start")
    gain, came = tab.page.locator("#gain"), tab.page.locator("#came")
    expect(came).to_contain_text("since you came", timeout=60_000)
    first = came.inner_text().split(" at ")[1]
    tab.page.reload()
    expect(came).to_contain_text(f"since you came, at {first}", timeout=30_000)
    assert gain.inner_text().endswith("%")
