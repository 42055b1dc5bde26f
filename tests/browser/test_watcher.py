"""The watcher: live, from one object, over as long a history as there is."""

import csv
import io
import re
from collections.abc import Callable, Iterator
from statistics import median, quantiles

import pytest
from long_runs import a_long_run, grow, public_of
from matplotlib.image import imread
from playwright.sync_api import Browser, Page, expect
from samples import World
from tabs import Tab
from traces import traced

from webnn import tables, wiring
from webnn.local.stage import LocalStage
from webnn.store.public import PublicObjects, live_key, pages_prefix

pytestmark = pytest.mark.browser

VERSIONS = 1000
FRAME_MS = 16
UPDATES = 24
# Pixels of the loss chart's line in the topmost rows that it may be drawn in.
AT_THE_TOP = """() => new Promise(requestAnimationFrame).then(() => {
  const chart = document.querySelector("#loss-chart"), canvas = chart.querySelector("canvas");
  const box = canvas.getBoundingClientRect(), over = chart.querySelector(".u-over").getBoundingClientRect();
  const place = [over.left - box.left, over.top - box.top, over.width, 3].map((one) => one * devicePixelRatio);
  const { data } = canvas.getContext("2d").getImageData(...place.map(Math.round));
  const near = (i) => [0xb4, 0x56, 0x0f].every((one, colour) => Math.abs(one - data[i + colour]) < 8);
  return data.filter((alpha, i) => i % 4 === 3 && alpha > 200 && near(i - 3)).length;
})"""
LOOK_AGAIN = "document.dispatchEvent(new Event('visibilitychange'))"

Open = Callable[..., Tab]


@pytest.fixture(scope="module")
def public(stage: LocalStage) -> PublicObjects:
    return public_of(stage)


@pytest.fixture(scope="module")
def long_run(public: PublicObjects) -> World:
    """A run of a thousand versions, of which the stage's API knows nothing."""
    return a_long_run(public, "long", VERSIONS, wiring.now())


@pytest.fixture
def watcher(stage: LocalStage, long_run: World, open_tab: Open) -> Iterator[Tab]:
    tab = open_tab(long_run.name, address=stage.watcher)
    expect(tab.page.locator("#version")).to_have_text(f"{long_run.head.version:,}")
    yield tab
    assert not tab.failures


def go_on(world: World, page: Page) -> None:
    """One more version, and a look at it."""
    grow(world)
    world.services.live.show(world.name)
    page.evaluate(LOOK_AGAIN)
    expect(page.locator("#version")).to_have_text(f"{world.head.version:,}")


def test_a_watcher_calls_no_function_and_reads_only_what_is_new(
    stage: LocalStage, long_run: World, watcher: Tab
) -> None:
    answers: list[tuple[str, int]] = []
    watcher.page.on("response", lambda answer: answers.append((answer.url, answer.status)))
    for _ in range(3):
        go_on(long_run, watcher.page)
    with watcher.page.expect_response("**/live/long.json"):
        watcher.page.evaluate(LOOK_AGAIN)
    assert [url for url in watcher.requests if url.startswith(stage.api)] == []
    assert {status for _, status in answers} <= {200, 304}
    assert answers[-1][1] == 304
    assert len({url for url, _ in answers if "/commits-" in url}) <= 1


def test_a_run_that_is_trained_is_followed_without_a_call(stage: LocalStage, run: str, open_tab: Open) -> None:
    trainer, watcher = open_tab(run), open_tab(run, address=stage.watcher)
    trainer.page.locator("#toggle:enabled").click()
    expect(watcher.page.locator("#version")).to_have_text("0")
    trainer.wait_for("settled", 3)
    version = stage.services.catalog.head(run).version
    watcher.page.wait_for_function(f"Number(document.querySelector('#version').textContent) >= {version}")
    watcher.page.wait_for_function("document.querySelector('#accuracy').textContent.includes('%')")
    expect(watcher.page.locator("#clients")).to_have_text("1")
    expect(watcher.page.locator("#cost")).to_contain_text("$")
    assert [url for url in watcher.requests if url.startswith(stage.api)] == []
    stage.services.control.finish(run)
    expect(watcher.page.locator("#state")).to_have_text("Finished", timeout=20_000)


def test_an_update_takes_the_main_thread_less_than_a_frame(chromium: Browser, long_run: World, watcher: Tab) -> None:
    """Of each update, the longest task; and how long all of them took together."""
    page = watcher.page
    with traced(chromium, page) as stretches:
        for _ in range(UPDATES):
            page.evaluate("performance.mark('update')")
            go_on(long_run, page)
            page.evaluate("new Promise(requestAnimationFrame)")
        page.evaluate("performance.mark('update')")
    assert len(stretches) == UPDATES
    longest = [max(tasks) for tasks in stretches]
    print(
        f"longest task of an update: median {median(longest):.1f}, 95 % {quantiles(longest, n=20)[-1]:.1f} ms; ", end=""
    )
    print(f"all of an update together: median {median(map(sum, stretches)):.1f} ms")
    assert median(longest) <= FRAME_MS
    assert quantiles(longest, n=20)[-1] <= FRAME_MS


def test_charts_that_are_still_coming_do_not_say_that_there_is_nothing(
    stage: LocalStage, long_run: World, open_tab: Open
) -> None:
    def hold(page: Page) -> None:
        page.route("**/chart-*.js", lambda _: None)  # for good

    page = open_tab(long_run.name, address=stage.watcher, prepare=hold).page
    chart = page.locator("#accuracy-chart")
    expect(chart).to_have_attribute("aria-label", re.compile(r"Accuracy .* at version"))
    assert chart.evaluate("(one) => getComputedStyle(one, '::after').content") == '""'


def test_rollbacks_and_unmerges_are_told(long_run: World, watcher: Tab) -> None:
    watcher.page.get_by_label("Only rollbacks and unmerges").check()
    rows = watcher.page.locator("#history tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("Merged again without the updates of one machine")
    expect(rows.nth(1)).to_contain_text("Rolled back to version 496: It unlearnt, in a moment")


def test_older_versions_are_a_click_away(long_run: World, watcher: Tab) -> None:
    rows = watcher.page.locator("#history tr")
    expect(rows).to_have_count(15)
    watcher.page.get_by_role("button", name="Show older ones").click()
    expect(rows).to_have_count(65)
    go_on(long_run, watcher.page)
    expect(rows).to_have_count(65)
    expect(rows.first.locator("td").first).to_have_text(f"{long_run.head.version:,}")


def test_charts_are_zoomed_by_mouse_and_by_keyboard(long_run: World, watcher: Tab) -> None:
    page, seen = watcher.page, watcher.page.locator("#range")
    whole = f"Versions 0 to {long_run.head.version:,}"
    expect(seen).to_have_text(whole)
    page.locator("#loss-chart").scroll_into_view_if_needed()
    box = page.locator("#loss-chart .u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.25, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    page.mouse.up()
    expect(seen).not_to_have_text(whole)
    page.locator("#accuracy-chart .u-over").dblclick()
    expect(seen).to_have_text(whole)
    page.get_by_role("button", name="Zoom in").focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    half = round(long_run.head.version / 2)
    expect(seen).to_have_text(f"Versions 0 to {half:,}")
    page.get_by_role("button", name="By time").click()
    expect(seen).to_contain_text("Time 0 to")
    page.keyboard.press("0")
    expect(page.get_by_role("button", name="All")).to_be_disabled()
    for key in "+++++++":  # a line that comes from higher up is drawn with fewer and fewer of its points
        page.keyboard.press(key)
        page.keyboard.press("ArrowRight")
        assert page.evaluate(AT_THE_TOP) == 0, seen.inner_text()


def test_a_finger_is_told_of_what_it_can_do(stage: LocalStage, long_run: World, watcher: Tab, open_tab: Open) -> None:
    expect(watcher.page.locator("#tools-help")).to_contain_text("Drag over a chart", use_inner_text=True)
    phone = open_tab(long_run.name, address=stage.watcher, is_mobile=True, has_touch=True).page
    told = phone.locator("#tools-help")
    expect(told).to_have_text(
        "Tap a chart to read its values. Tap + to look closer, ← and → to move, All to see all.", use_inner_text=True
    )
    phone.locator("#loss-chart .u-over").tap()
    expect(phone.locator("#loss-chart .tooltip")).to_contain_text("loss")
    phone.get_by_role("button", name="Zoom in").tap()
    half = round(long_run.head.version / 4), round(long_run.head.version * 3 / 4)
    expect(phone.locator("#range")).to_have_text(f"Versions {half[0]:,} to {half[1]:,}")
    phone.get_by_role("button", name="All").tap()
    expect(phone.get_by_role("button", name="All")).to_be_disabled()


@pytest.mark.parametrize(("table", "left_out"), [("commits", {"sha256"}), ("evaluations", {"client", "examples"})])
def test_csv_is_what_the_command_writes(long_run: World, watcher: Tab, table: str, left_out: set[str]) -> None:
    with watcher.page.expect_download() as saving:
        watcher.page.locator(f"[data-save={table}]").click()
    assert saving.value.suggested_filename == f"long-{table}.csv"
    ours = list(csv.DictReader(io.StringIO(saving.value.path().read_text())))
    written = io.StringIO()
    tables.write(tables.TABLES[table], long_run.catalog, "long", written)
    theirs = list(csv.DictReader(io.StringIO(written.getvalue())))
    assert [*ours[0]] == [name for name in theirs[0] if name not in left_out]
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        for name, value in mine.items():
            if name in {"loss", "accuracy"}:
                assert float(value) == pytest.approx(float(other[name]), rel=1e-5)
            else:
                assert value == other[name], (name, mine, other)


def test_the_picture_shows_what_the_page_shows(watcher: Tab) -> None:
    with watcher.page.expect_download() as saving:
        watcher.page.locator("[data-save=png]").click()
    assert saving.value.suggested_filename == "long.png"
    pixels = imread(saving.value.path(), format="png")
    assert pixels.shape[:2] == (1412, 1600)
    accent = abs(pixels[:, :, :3] - [0x0E / 255, 0x7C / 255, 0x74 / 255]).sum(axis=2) < 0.02
    for rows in (slice(168, 548), slice(576, 956), slice(984, 1364)):
        assert accent[rows, 48:800].any()  # accuracy, updates per second, staleness


def test_where_the_object_is_absent_the_api_is_asked(
    stage: LocalStage, run: str, public: PublicObjects, open_tab: Open
) -> None:
    stage.services.live.forget(run)
    watcher = open_tab(run, address=stage.watcher)
    expect(watcher.page.locator("#version")).to_have_text("0")
    expect(watcher.page.locator("#cost-note")).to_have_text("not known at the moment")
    assert any(url.startswith(f"{stage.api}/runs/{run}/history") for url in watcher.requests)
    stage.services.control.pause(run)
    expect(watcher.page.locator("#state")).to_have_text("Paused by its owner", timeout=20_000)


def test_another_run_of_the_name_is_shown_without_a_reload(
    stage: LocalStage, public: PublicObjects, open_tab: Open
) -> None:
    world = a_long_run(public, "reborn", 40, wiring.now())
    watcher = open_tab("reborn", address=stage.watcher)
    expect(watcher.page.locator("#version")).to_have_text("40")
    public.delete(live_key("reborn"), pages_prefix("reborn"))
    world = a_long_run(public, "reborn", 2, wiring.now())
    assert world.head.version == 2
    watcher.page.evaluate(LOOK_AGAIN)
    expect(watcher.page.locator("#version")).to_have_text("2")
    expect(watcher.page.locator("#history tr")).to_have_count(3)
