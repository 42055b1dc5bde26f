"""A link as a QR code: for the phone that is to join."""

import html
from ipaddress import ip_address
from urllib.parse import urlsplit

import segno
from rich.console import Console
from rich.text import Text

QUIET = 2  # modules around it
BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}  # dark above, dark below
STYLE = "#000000 on #ffffff"
BESIDE = 3  # lines of a terminal that are for other things: the link above, how the run gets on below


class Code:
    """A QR code. A notebook shows it as a picture; as text it is drawn with half blocks, dark on light."""

    def __init__(self, link: str) -> None:
        """Takes what it says."""
        self.link = link
        # No screen is scratched: the least correction makes the fewest modules, so that 24 lines hold it.
        self._code = segno.make_qr(link, error="l")

    def __str__(self) -> str:
        rows = [[bool(one) for one in row] for row in self._code.matrix_iter(border=QUIET)]
        rows += [[False] * len(rows[0])] * (len(rows) % 2)
        pairs = zip(rows[::2], rows[1::2], strict=True)
        return "\n".join("".join(BLOCKS[pair] for pair in zip(above, below, strict=True)) for above, below in pairs)

    def svg(self, scale: int = 4) -> str:
        """A picture, as an element of a page; dark on white whatever is around it."""
        return str(self._code.svg_inline(scale=scale, border=QUIET, dark="#000", light="#fff", omitsize=False))

    def draw(self, console: Console) -> None:
        """Draws it where it can be read and is of use: in a terminal that holds it, in colours, and for other devices.

        Without colours it would be light on dark in most terminals, which not every reader takes; without UTF-8 there
        are no half blocks.
        """
        lines = str(self).splitlines()
        holds = console.width >= len(lines[0]) and console.height >= len(lines) + BESIDE
        coloured = console.is_terminal and console.color_system and not console.no_color
        if coloured and not console.options.ascii_only and holds and for_others(self.link):
            console.print(Text(str(self), STYLE), soft_wrap=True)

    def _repr_html_(self) -> str:
        link = html.escape(self.link)
        return f'<div role="img" aria-label="QR code of {link}">{self.svg()}</div>'


def invite(console: Console, link: str, *, drawn: bool = True) -> None:
    """Says by which link others join a run, and draws it."""
    # Not as markup: an address of IPv6 has brackets.
    said = Text.assemble("Whoever opens this page and presses Start joins:\n  ", (link, f"bold link {link}"))
    console.print(said, soft_wrap=True)
    if drawn:
        Code(link).draw(console)


def for_others(link: str) -> bool:
    """Whether a link leads other machines anywhere: one to this machine's own address does not."""
    host = urlsplit(link).hostname or ""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost" and not host.endswith(".localhost")
