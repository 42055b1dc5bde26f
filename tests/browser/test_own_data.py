"""Training on a visitor's own data: it trains, it is merged, and nothing of it goes over the line."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from handwriting import draw, written
from hidden import nothing_of
from lines import Line, line
from looks import NARROWEST, PHONE, sticking_out, wear
from playwright.sync_api import Page, expect
from tabs import Tab

from webnn.core.records import Status
from webnn.core.wire import Array
from webnn.local.stage import LocalStage
from webnn.project.folder import check, read
from webnn.project.push import push, set_running
from webnn.project.template import scaffold

pytestmark = pytest.mark.browser

Open = Callable[..., Tab]
WEIGHTS = 4 * (64 * 32 + 32 + 32 * 10 + 10)  # bytes of the digits network in float32
LARGE = 1000  # bytes: the other bodies are a few hundred
PIXELS = """Array.from(document.querySelectorAll('.thumb canvas'), (canvas) =>
  Array.from(canvas.getContext('2d').getImageData(0, 0, 8, 8).data).filter((_, i) => i % 4 === 0))"""


def file_in(body: bytes) -> bytes:
    """The last field of an upload's form: the update."""
    (boundary, _, rest) = body.partition(b"\r\n")
    last = rest.rpartition(b'name="file"')[2]
    return last.partition(b"\r\n\r\n")[2].rpartition(b"\r\n" + boundary)[0]


def add_drawings(page: Page, digits: list[int]) -> None:
    if not page.locator("#own").evaluate("details => details.open"):
        page.get_by_text("Train on data of your own").click()
    for digit in digits:
        page.locator("#own .chip").nth(digit).click()
        draw(page.locator("#own .paper"), written(digit, digit % 3))
        page.wait_for_timeout(150)  # the pad is read once a frame
        page.get_by_role("button", name="Add this example").click()


def test_drawings_are_trained_on_and_nothing_of_them_is_sent(stage: LocalStage, run: str, open_tab: Open) -> None:
    with line() as wire:
        tab = open_tab(run, proxy={"server": wire.url}, viewport={"width": 1280, "height": 1000})
        add_drawings(tab.page, [0, 1, 3, 3])
        tab.page.get_by_text("4 of yours:").wait_for()
        pixels = [np.array(one, np.float32) / 255 for one in tab.page.evaluate(PIXELS)]
        assert [len(one) for one in pixels] == [64] * 4
        tab.page.get_by_label("Remove this example of 3").first.click()
        tab.page.get_by_role("button", name="Start").click()
        tab.until(lambda: tab.merged() >= 2, "merged updates")
        tab.page.get_by_role("button", name="Pause").click()
        uploads = [(head, body) for head, body in wire.heard if len(body) > LARGE]
        assert not [head for head, _ in wire.heard if trained_on(stage, run, head)]
        tab.page.get_by_label("Train on mine").uncheck()
        tab.page.get_by_text("Press Start to go on with what you have changed.").wait_for()
        tab.page.get_by_role("button", name="Start").click()
        tab.until(lambda: tab.of("uploaded")[-1]["examples"] == 8 * 32, "update from the run's own data")
        nothing_of(pixels, wire)
    assert len(uploads) >= 2
    assert all(not head.startswith(f"POST {stage.api}") for head, _ in uploads)
    assert [len(file_in(body)) for _, body in uploads] == [WEIGHTS] * len(uploads)
    assert {event["examples"] for event in tab.of("uploaded")} == {
        8 * 3,
        8 * 32,
    }  # local steps, of all three; of a batch
    assert len(tab.of("joined")) >= 2  # it went on as the client that it was
    assert len({event["clientId"] for event in tab.of("joined")}) == 1
    assert tab.failures == []


def trained_on(stage: LocalStage, run: str, head: str) -> bool:
    """Whether a request is for one of the run's training shards."""
    return any(shard.sha256 in head for shard in stage.services.runs.describe(run).spec.data.train)


def test_the_watch_on_the_line_would_see_an_example(open_tab: Open, run: str) -> None:
    """Else the test above could not fail."""
    values = np.arange(64, dtype=np.float32) / 64
    for hidden in (values.astype("<f4").tobytes(), base64.b64encode(np.rint(values * 16).astype("u1").tobytes())):
        wire = Line("")
        wire.heard.append(("POST /x", b"before" + hidden + b"after"))
        with pytest.raises(AssertionError):
            nothing_of([values], wire)


def test_examples_are_kept_only_for_who_asks_for_it(run: str, open_tab: Open) -> None:
    tab = open_tab(run)
    add_drawings(tab.page, [2])
    tab.page.get_by_text("1 of yours:").wait_for()
    tab.page.reload()
    tab.page.get_by_text("Train on data of your own").click()
    tab.page.get_by_text("No examples of yours yet.").wait_for()
    tab.page.get_by_label("Keep my examples in this browser").check()
    add_drawings(tab.page, [2, 5])
    tab.page.get_by_text("2 of yours:").wait_for()
    tab.page.wait_for_timeout(300)
    tab.page.reload()
    tab.page.get_by_text("2 of yours:").wait_for()
    assert tab.page.get_by_label("Train on mine").is_checked()
    tab.page.get_by_label("Keep my examples in this browser").uncheck()
    tab.page.wait_for_timeout(300)
    tab.page.reload()
    tab.page.get_by_text("Train on data of your own").click()
    tab.page.get_by_text("No examples of yours yet.").wait_for()


DATA = "import numpy as np\n\n\ndef validation():\n    return points(120, 2)\n\n\n{}"
POINTS = """def points(count, seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, count)
    centres = np.array([[1, 0, 0, 1], [0, 1, 0, -1], [0, 0, 1, 0]])
    return (centres[labels] + random.normal(0, 0.3, (count, 4))).astype(np.float32), labels
"""


@pytest.fixture
def brought(stage: LocalStage, tmp_path: Path) -> str:
    """A run that learns from nothing but what its visitors bring."""
    folder = tmp_path / "brought"
    scaffold(folder, "blank")
    (folder / "data.py").write_text(DATA.format(POINTS))
    toml = (folder / "webnn.toml").read_text().replace("every_versions = 20", "every_versions = 3")
    (folder / "webnn.toml").write_text(f"[data]\nown = 'must'\nlabels = ['left', 'middle', 'right']\n{toml}")
    project = read(folder)
    check(project)
    push(project, stage.services.runs, "local", lambda _: None)
    set_running(stage.services.catalog, project.name)
    return project.name


def test_a_run_of_visitors_own_data_is_trained_to_its_end(
    stage: LocalStage, brought: str, open_tab: Open, tmp_path: Path
) -> None:
    module: dict[str, Callable[..., tuple[Array, Array]]] = {}
    exec(f"import numpy as np\n{POINTS}", module)  # the folder's own text, once more
    values, labels = module["points"](200, 7)
    names = ["left", "middle", "right"]
    table = tmp_path / "points.csv"
    rows = [",".join([*(str(one) for one in row), names[label]]) for row, label in zip(values, labels, strict=True)]
    table.write_text("a,b,c,d,class\n" + "\n".join(rows))
    with line() as wire:
        tab = open_tab(brought, query="&start", proxy={"server": wire.url})
        tab.page.get_by_text("Add examples of your own first").wait_for()
        sent_to_the_form(tab.page)
        bad = tmp_path / "bad.csv"
        bad.write_text("1,2,3,4,left\n1,2,3,4,up\n1,2,3,left")
        choose = tab.page.locator("#own input[type=file]")
        choose.set_input_files(bad)
        tab.page.get_by_text(re.compile("Nothing was added. Line 2: “up” is no class.* Line 3: 4 of 5")).wait_for()
        choose.set_input_files(table)
        tab.page.get_by_text("200 examples added.").wait_for()
        tab.page.get_by_role("button", name="Start").click()
        tab.until(lambda: stage.services.catalog.head(brought).status is Status.FINISHED, "end", timeout=90)
        nothing_of(list(values[:20]), wire)
    newest = stage.services.catalog.latest_evaluation(brought)
    assert newest is not None
    assert newest.accuracy >= 0.95
    assert newest.examples == 120
    assert stage.services.runs.describe(brought).spec.data.train == ()
    assert tab.failures == []


def sent_to_the_form(page: Page) -> None:
    """Who presses Start without examples is taken to where they are added; what is wrong there is named."""
    page.set_viewport_size({"width": NARROWEST, "height": 740})
    form = page.get_by_role("group", name="Add an example of your own")
    expect(page.locator("#own .chip :checked")).to_have_count(0)
    page.get_by_role("button", name="Start").click()
    expect(form).to_be_focused()
    expect(page.get_by_label("x 1", exact=True)).to_be_in_viewport()
    add = page.get_by_role("button", name="Add this example")
    for number in range(1, 5):
        page.get_by_label(f"x {number}", exact=True).fill("abc" if number == 3 else str(number))
    page.get_by_text("x 3: “abc” is no number.").wait_for()
    assert page.locator("[aria-invalid=true]").count() == 1
    expect(page.get_by_label("x 3", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("x 3", exact=True).fill("3")
    assert page.locator("[aria-invalid=true]").count() == 0
    add.click()
    page.get_by_text("Say first what it is an example of.").wait_for()
    wear(page, PHONE)
    assert sticking_out(page) == []
