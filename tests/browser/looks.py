"""How pages are looked at: light or dark, on a desk or in a hand. And what may be wrong with how they look."""

from dataclasses import dataclass
from typing import Literal

from playwright.sync_api import Page

from webnn.local.stage import WEB

PAGES = sorted(path.name for path in WEB.glob("*.html"))
NARROWEST = 360  # of phones that are still about

AT_REST = """() => Promise.all(document.getAnimations()
  .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished.catch(() => null)))"""
# What sticks out to the right, unless what it is in can be scrolled for it.
STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth;
  const held = (one) => /auto|scroll|hidden/.test(getComputedStyle(one).overflowX);
  const scrolls = (one) => one && (held(one) || scrolls(one.parentElement));
  const out = [...document.body.querySelectorAll("*")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width > 0 && box.right > width + 1 && !scrolls(one.parentElement);
  });
  if (document.documentElement.scrollWidth > width) out.push(document.documentElement);
  return out.map((one) => `${one.tagName.toLowerCase()}#${one.id}.${one.className}`);
}"""


@dataclass(frozen=True)
class Look:
    name: str
    scheme: Literal["light", "dark"]
    width: int
    height: int


LIGHT = Look("light", "light", 1200, 800)
DARK = Look("dark", "dark", 1200, 800)
PHONE = Look("phone", "light", NARROWEST, 740)
PHONE_DARK = Look("phone-dark", "dark", NARROWEST, 740)


def wear(page: Page, look: Look) -> None:
    """Gives a page a look, and waits until it rests: charts have their size, and no colour is on its way."""
    page.emulate_media(color_scheme=look.scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": look.width, "height": look.height})
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    page.evaluate(AT_REST)


def sticking_out(page: Page) -> list[str]:
    """Elements that are wider than the page and cannot be scrolled to."""
    found: list[str] = page.evaluate(STICKS_OUT)
    return found
