"""The QR code of a join link, where it is drawn in a terminal and where not."""

import io
import re

import pytest
import segno
from rich.console import Console

from webnn.cli.code import QUIET, Code, for_others, invite

LINK = "https://s3.eu-central-1.amazonaws.com/webnn-dev-site-123456789012/index.html?run=mine"
COLOURS = re.compile(r"\x1b\[([\d;]*)m")
MODULES = {" ": (False, False), "▀": (True, False), "▄": (False, True), "█": (True, True)}


def drawn(link: str, width: int = 80, height: int = 24, environment: dict[str, str] | None = None) -> str:
    """What a terminal is sent."""
    sent = io.StringIO()
    terminal = {"TERM": "xterm-256color", **(environment or {})}
    Code(link).draw(Console(file=sent, force_terminal=True, width=width, height=height, _environ=terminal))
    return sent.getvalue()


def test_it_is_drawn_dark_on_light_and_says_the_link() -> None:
    sent = drawn(LINK)
    assert set(COLOURS.findall(sent)) == {"38;5;16;48;5;231", "0"}  # black on white, whatever the terminal's colours
    pairs = [[MODULES[block] for block in row] for row in COLOURS.sub("", sent).splitlines()]
    found = [[half[upper] for half in row] for row in pairs for upper in (0, 1)]
    wanted = [[bool(one) for one in row] for row in segno.make_qr(LINK, error="l").matrix_iter(border=QUIET)]
    assert found[: len(wanted)] == wanted
    assert not any(map(any, found[len(wanted) :]))


def test_a_terminal_of_24_lines_holds_it_with_the_link_above_and_the_run_below() -> None:
    assert len(drawn(LINK).splitlines()) <= 24 - 3


@pytest.mark.parametrize(
    ("width", "height"), [(40, 50), (120, 23)], ids=["narrower than the code", "lower than code, link and run"]
)
def test_a_terminal_that_does_not_hold_it_is_spared(width: int, height: int) -> None:
    assert drawn(LINK, width, height) == ""


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_without_colours_it_would_be_light_on_dark_and_is_not_drawn(variables: dict[str, str]) -> None:
    assert drawn(LINK, environment=variables) == ""


def test_what_is_no_terminal_gets_none() -> None:
    sent = io.StringIO()
    Code(LINK).draw(Console(file=sent, width=200, height=200))
    assert sent.getvalue() == ""


def test_a_terminal_that_cannot_show_half_blocks_gets_the_link_alone() -> None:
    sent = io.BytesIO()
    terminal = io.TextIOWrapper(sent, encoding="latin-1")
    invite(Console(file=terminal, force_terminal=True, width=80, height=40, _environ={"TERM": "xterm-256color"}), LINK)
    terminal.flush()
    assert sent.getvalue().decode().count("\n") == 2
    assert LINK in sent.getvalue().decode()


def test_a_link_with_an_address_of_ipv6_is_told_as_it_is() -> None:
    sent = io.StringIO()
    invite(Console(file=sent, width=80), "http://[::1]:4566/site/index.html?run=mine")
    assert sent.getvalue().splitlines()[1] == "  http://[::1]:4566/site/index.html?run=mine"


def test_a_link_that_only_this_machine_can_open_is_not_drawn() -> None:
    assert drawn("http://127.0.0.1:42413/site/index.html?run=mine", 200, 200) == ""


@pytest.mark.parametrize(
    ("link", "opens"),
    [
        (LINK, True),
        ("http://192.168.1.7:8000/index.html", True),
        ("http://[2001:db8::1]/index.html", True),
        ("http://127.0.0.1:4566/index.html", False),
        ("http://127.9.9.9/index.html", False),
        ("http://localhost:4566/index.html", False),
        ("http://site.localhost/index.html", False),
        ("http://[::1]:80/index.html", False),
    ],
)
def test_which_links_lead_other_machines_somewhere(link: str, opens: bool) -> None:
    assert for_others(link) is opens
