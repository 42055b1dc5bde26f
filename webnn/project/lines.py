"""On which line something stands in a file: parsers tell that of syntax only."""

import re
from collections.abc import Mapping

HEADER = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?")
KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")

TomlPath = tuple[str, ...]


def of_toml(text: str) -> dict[TomlPath, int]:
    """The lines, from 1, of the tables and keys of a document, each by its path; the first where there are several."""
    found: dict[TomlPath, int] = {}
    table: TomlPath = ()
    quoted = ""  # what ends the text of several lines that we are in
    for number, line in enumerate(text.splitlines(), 1):
        if not quoted:
            if header := HEADER.fullmatch(line):
                table = _parts(header[1])
                found.setdefault(table, number)
            elif key := KEY.match(line):
                found.setdefault(table + _parts(key[1]), number)
        for mark in ('"""', "'''"):
            if line.count(mark) % 2 and quoted in ("", mark):
                quoted = "" if quoted else mark
    return found


def line_of(lines: Mapping[TomlPath, int], path: TomlPath) -> int | None:
    """The line of a path, or of what is first within it, or of the nearest that holds it."""
    while path:
        if path in lines:
            return lines[path]
        within = [line for found, line in lines.items() if found[: len(path)] == path]
        if within:
            return min(within)
        path = path[:-1]
    return None


def line_with(text: str, part: str) -> int | None:
    """The first line that has this in it."""
    at = text.find(part)
    return None if at < 0 else text.count("\n", 0, at) + 1


def _parts(dotted: str) -> TomlPath:
    return tuple(part.strip("\"'") for part in PART.findall(dotted))
