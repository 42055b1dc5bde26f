"""Using the current model in a page: what is drawn or typed is read, and newer versions answer by themselves."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import numpy as np
import pytest
from handwriting import HANDS, draw, written
from hidden import nothing_of
from lines import Line, line
from tabs import Tab

from webnn.core.wire import Array
from webnn.local.stage import WEB, LocalStage
from webnn.project.folder import read
from webnn.project.push import push
from webnn.project.template import scaffold

pytestmark = pytest.mark.browser

Open = Callable[..., Tab]
LINES = "document.querySelectorAll('.lines li').length"
SIGNED = {f"X-Amz-{part}" for part in ("Algorithm", "Credential", "Date", "Expires", "Signature", "SignedHeaders")}
BROWSERS_OWN = ("CONNECT", "content-autofill.googleapis.com:443")  # Chromium's, of any page with fields; refused here
SEEN = """(() => {
  const { width, height } = document.querySelector('.seen');
  const { data } = document.querySelector('.seen').getContext('2d').getImageData(0, 0, width, height);
  return Array.from(data).filter((_, i) => i % 4 === 0);
})()"""
CARRIED = """(bytes) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(bytes)], 'five.png', { type: 'image/png' }));
  return transfer;
}"""


@pytest.fixture
def trying(stage: LocalStage, open_tab: Open) -> Open:
    """Opens the page on a run."""
    return lambda run, **options: open_tab(run, stage.page.replace("index.html", "try.html"), **options)


def said_of(tab: Tab, digit: int, hand: int) -> str:
    """What the page says of a digit that is drawn with the mouse."""
    tab.page.get_by_role("button", name="Clear").click()
    tab.page.wait_for_function(f"{LINES} === 0")
    draw(tab.page.locator(".paper"), written(digit, hand))
    tab.page.wait_for_function(f"{LINES} === 10")
    tab.page.wait_for_timeout(200)  # the last part of the last stroke is answered, too
    return tab.page.locator("#answer").inner_text()


def test_digits_that_are_drawn_with_the_mouse_are_read(trained: str, trying: Open) -> None:
    """By a model that is right on 97 % of its own test set; guesses would be right once in ten."""
    tab = trying(trained)
    tab.page.locator(".paper").wait_for()
    said = {digit: said_of(tab, digit, digit % HANDS) for digit in range(10)}
    wrong = {digit: words for digit, words in said.items() if not words.startswith(f"{digit},")}
    assert len(wrong) <= 2, wrong
    assert tab.page.locator("#version").inner_text().startswith("Answered by version ")
    assert not [url for url in tab.requests if "/tasks" in url or "/clients" in url]  # it only looks
    assert tab.failures == []


def test_keys_draw_as_the_mouse_does(trained: str, trying: Open) -> None:
    tab = trying(trained)
    pad = tab.page.locator(".paper")
    pad.focus()
    for key, times in (("ArrowUp", 8), (" ", 1), ("ArrowDown", 16), (" ", 1)):
        for _ in range(times):
            pad.press(key)
    tab.page.get_by_text("The pen is up.").wait_for()
    tab.page.wait_for_function("document.querySelector('#answer').textContent.startsWith('1, ')")
    pad.press("Delete")
    tab.page.wait_for_function(f"{LINES} === 0")


def test_a_newer_version_answers_by_itself(run: str, open_tab: Open, trying: Open) -> None:
    tab = trying(run)
    tab.page.get_by_text("The newest version is 0").wait_for()
    assert said_of(tab, 3, 0)
    tab.page.get_by_text("Answered by version 0").wait_for()
    trainer = open_tab(run, query="&start")
    tab.page.get_by_text(re.compile("Answered by version [1-9]")).wait_for(timeout=60_000)
    trainer.page.close()


def test_pictures_of_dark_digits_on_white_are_read_too(trained: str, trying: Open, tmp_path: Path) -> None:
    tab = trying(trained)
    paper = tab.page.locator(".paper")
    draw(paper, written(5, 1))
    photo = tmp_path / "five.png"
    tab.page.add_style_tag(
        content=".paper { background: #fff !important; color: #222 !important; border: 0 !important }"
    )
    draw(paper, [[(0.99, 0.99), (0.99, 0.99)]])  # painted anew in these colours, with a blot at the edge
    tab.page.get_by_role("button", name="Clear").click()
    draw(paper, written(5, 1))
    tab.page.wait_for_timeout(200)
    paper.screenshot(path=photo)
    tab.page.get_by_role("button", name="Clear").click()
    tab.page.locator("input[type=file]").set_input_files(photo)
    tab.page.get_by_label("Dark is ink").wait_for()
    assert tab.page.get_by_label("Dark is ink").is_checked()
    tab.page.wait_for_function("document.querySelector('#answer').textContent.startsWith('5, ')")
    (tmp_path / "no.png").write_text("no picture")
    tab.page.locator("input[type=file]").set_input_files(tmp_path / "no.png")
    tab.page.get_by_text("“no.png” is no picture that this browser can read.").wait_for()


def only_questions(wire: Line, stage: LocalStage, run: str) -> None:
    """All that was sent are questions for the page's files, the run and its weights, and nothing is with them."""
    for head, body in wire.heard:
        method, _, rest = head.partition("\n")[0].partition(" ")
        if (method, rest.partition(" ")[0]) == BROWSERS_OWN:
            continue
        assert (method, body) == ("GET", b""), head
        url = urlsplit(rest)
        asked = {name for name, _ in parse_qsl(url.query, keep_blank_values=True)}
        assert asked <= asked_at(url._replace(query="").geturl(), stage, run), head


def asked_at(place: str, stage: LocalStage, run: str) -> set[str]:
    """What a question for this place may have behind its question mark. Fails if it is none that may be asked for."""
    site = stage.page.removesuffix("index.html")
    bare = [f"{stage.api}/runs/{run}", f"{stage.api}/runs/{run}/model"]
    bare += [f"{site}live/{run}.json", f"{site}config.json"]
    bare += [f"{site}{path.relative_to(WEB)}" for path in WEB.rglob("*") if path.is_file()]
    if place == f"{site}try.html":
        return {"run", "events", "backend"}
    if place in bare:
        return set()
    key = "/".join(urlsplit(place).path.split("/")[2:])
    assert key.startswith((f"checkpoints/{run}/", f"specs/{run}/")), place
    assert stage.services.blobs.get(key), place
    return SIGNED


def seen_in(tab: Tab) -> Array:
    """What the model sees, as the page shows it beside the pad: 0 to 1."""
    return np.array(tab.page.evaluate(SEEN), np.float32) / 255


def drop(tab: Tab, picture: bytes) -> None:
    """Drops a picture onto the pad, as from a folder."""
    carried = tab.page.evaluate_handle(CARRIED, list(picture))
    tab.page.locator(".paper").dispatch_event("drop", {"dataTransfer": carried})


def test_nothing_of_what_is_drawn_or_dropped_is_sent(stage: LocalStage, trained: str, trying: Open) -> None:
    """Over the line go questions for what anybody may have, and nothing with them."""
    with line() as wire:
        tab = trying(trained, proxy={"server": wire.url})
        paper = tab.page.locator(".paper")
        paper.wait_for()
        said_of(tab, 5, 1)
        examples, picture = [seen_in(tab)], paper.screenshot()
        tab.page.get_by_role("button", name="Clear").click()
        tab.page.wait_for_function(f"{LINES} === 0")
        drop(tab, picture)
        tab.page.wait_for_function(f"{LINES} === 10")
        examples.append(seen_in(tab))
        nothing_of(examples, wire)
    only_questions(wire, stage, trained)
    assert tab.failures == []


def test_a_request_that_carried_something_would_be_found(stage: LocalStage, trained: str) -> None:
    """Else the tests around could not fail."""
    page = stage.page.replace("index.html", "try.html")
    for head, body in (
        (f"GET {page}?run={trained}&drawn=0,1,1", b""),
        (f"GET {page}/0110", b""),
        (f"GET {stage.api}/runs/{trained}/model?drawn=0,1,1", b""),
        (f"GET {stage.api}/runs/{trained}", b"0110"),
        (f"POST {stage.api}/runs/{trained}/updates", b""),
        ("GET http://127.0.0.1:1/0110", b""),
    ):
        wire = Line("")
        wire.heard.append((f"{head}\n", body))
        with pytest.raises(AssertionError, match=re.escape(head.split()[1].partition("?")[0])):
            only_questions(wire, stage, trained)


def test_numbers_are_typed_or_pasted_where_that_is_the_input(stage: LocalStage, trying: Open, tmp_path: Path) -> None:
    folder = tmp_path / "points"
    scaffold(folder, "blank")
    place = folder / "webnn.toml"
    place.write_text("[data]\nlabels = ['left', 'middle', 'right']\n" + place.read_text())
    push(read(folder), stage.services.runs, "local", lambda _: None)
    with line() as wire:
        tab = trying("points", proxy={"server": wire.url})
        tab.page.get_by_text("The run is paused.").wait_for()
        typed = tab.page.get_by_label("x: 4 numbers")
        typed.fill("1, 0, zero")
        tab.page.get_by_text("“zero” is no number.").wait_for()
        typed.fill("1 0 0")
        tab.page.get_by_text("3 of 4 numbers.").wait_for()
        tab.page.get_by_label("x 4", exact=True).fill("0.5")
        tab.page.wait_for_function(f"{LINES} === 3")
        assert typed.input_value() == "1 0 0 0.5"
        assert re.match(r"(left|middle|right), \d", tab.page.locator("#answer").inner_text())
        assert tab.failures == []
    only_questions(wire, stage, "points")
