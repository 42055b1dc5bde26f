"""Every page is looked at: light, dark, and on a phone. `make screenshots` keeps what it sees for the docs."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from handwriting import draw, written
from looks import DARK, LIGHT, PAGES, PHONE, sticking_out, wear
from PIL import Image
from tabs import Tab

from webnn.local.stage import LocalStage

pytestmark = pytest.mark.browser

Open = Callable[..., Tab]

FITS = "() => [...document.querySelectorAll('.scroll')].every((one) => one.scrollWidth <= one.clientWidth)"
NAMES = {"index": "volunteer", "watch": "watcher"}
DRAWN = "document.querySelector('.chart.coming') === null"
COLOURS = 128
MOST_BYTES = 150_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pictures go."""
    wanted = os.environ.get("WEBNN_SCREENSHOTS")
    return Path(wanted) if wanted else tmp_path_factory.mktemp("screenshots")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_it_is_for(
    stage: LocalStage, run: str, trained: str, open_tab: Open, folder: Path, page: str
) -> None:
    stem = page.removesuffix(".html")
    tab = at_its_best(stem, stage.page.replace("index.html", page), run, trained, open_tab)
    for look in (LIGHT, DARK, PHONE):
        wear(tab.page, look)
        assert sticking_out(tab.page) == []
        assert tab.page.evaluate(FITS)
        path = folder / f"{NAMES.get(stem, stem)}-{look.name}.png"
        path.write_bytes(small(tab.page.screenshot(full_page=True)))
        assert path.stat().st_size < MOST_BYTES
        assert is_filled(path)
    assert not tab.failures
    assert not tab.complaints


def at_its_best(stem: str, address: str, run: str, trained: str, open_tab: Open) -> Tab:
    """The page with something to show: the volunteer's trains, others show a run that has a history."""
    if stem == "index":
        tab = open_tab(run, address, query="&start")
        tab.wait_for("evaluated", 3)
        tab.until(lambda: tab.merged() > 5, "merged updates")
        tab.page.wait_for_function(DRAWN)
        return tab
    tab = open_tab(trained, address)
    if stem == "try":
        tab.page.locator(".paper").wait_for()
        draw(tab.page.locator(".paper"), written(3, 0))
        tab.page.wait_for_function("document.querySelector('#answer').textContent.startsWith('3, ')")
        return tab
    tab.page.get_by_text("97.5 %").first.wait_for()
    tab.page.wait_for_function(DRAWN)
    return tab


def small(png: bytes) -> bytes:
    """The same picture in few colours, which is all that pages have."""
    picture = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    packed = io.BytesIO()
    picture.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def is_filled(path: Path) -> bool:
    """Whether every fifth of the picture, from top to bottom, holds more than its background."""
    picture = Image.open(path).convert("L")
    height = picture.height // 5
    bands = [picture.crop((0, i * height, picture.width, (i + 1) * height)) for i in range(5)]
    return all(len(band.getcolors() or []) > 8 for band in bands)
