"""A link as a QR code: for the phone that is to join."""

import html

import segno

QUIET = 2  # modules around it
BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}  # dark above, dark below


class Code:
    """A QR code. A notebook shows it as a picture; as text it is drawn with half blocks, dark on light."""

    def __init__(self, link: str) -> None:
        """Takes what it says."""
        self.link = link
        self._code = segno.make_qr(link, error="m")

    def __str__(self) -> str:
        rows = [[bool(one) for one in row] for row in self._code.matrix_iter(border=QUIET)]
        rows += [[False] * len(rows[0])] * (len(rows) % 2)
        pairs = zip(rows[::2], rows[1::2], strict=True)
        return "\n".join("".join(BLOCKS[pair] for pair in zip(above, below, strict=True)) for above, below in pairs)

    def svg(self, scale: int = 4) -> str:
        """A picture, as an element of a page; dark on white whatever is around it."""
        return str(self._code.svg_inline(scale=scale, border=QUIET, dark="#000", light="#fff", omitsize=False))

    def _repr_html_(self) -> str:
        link = html.escape(self.link)
        return f'<div role="img" aria-label="QR code of {link}">{self.svg()}</div>'
