"""The table of layers in docs/keras.md is what the code takes.

python tests/keras/test_documented.py      writes it anew
"""

import re
from pathlib import Path

from webnn.keras.layers import ACTIVATIONS, KNOWN

DOCUMENT = Path(__file__).parents[2] / "docs" / "keras.md"
TABLE = re.compile(r"(?<=<!-- layers -->\n).*(?=<!-- /layers -->)", re.DOTALL)


def table() -> str:
    rows = [f"| {name} | {known.note} |" for name, known in KNOWN.items() if known.note]
    plain = ", ".join(name for name, known in KNOWN.items() if not known.note)
    lines = ["| layer | taken |", "|---|---|", f"| {plain} | |", *rows]
    return "\n" + "\n".join(lines) + "\n\n"


def test_the_layers_in_the_docs_are_those_in_the_code() -> None:
    found = TABLE.search(DOCUMENT.read_text())
    assert found is not None
    assert found[0] == table()


def test_so_are_the_activations() -> None:
    (line,) = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("Activations: ")]
    assert line == f"Activations: {', '.join(ACTIVATIONS)} (silu)."


if __name__ == "__main__":
    DOCUMENT.write_text(TABLE.sub(lambda _: table(), DOCUMENT.read_text()))
