"""What the docs type is there: commands, options, targets of make, environment variables."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from webnn.api.translate import FRAMEWORK, STATUS
from webnn.cli.main import webnn

CHECKOUT = Path(__file__).parents[2]
PAGES = [
    *sorted((CHECKOUT / "docs").rglob("*.md")),
    *(CHECKOUT / name for name in ("README.md", "CONTRIBUTING.md", "infra/README.md", "localstack/README.md")),
]
TYPED = re.compile(r"^(?:\s*\$ |    |)(?:\.venv/bin/)?webnn ([a-z].*)$", re.MULTILINE)
FENCE = re.compile(r"^```(?:console|sh|)[^\n]*\n(.*?)^```|^    (webnn .*)$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`(?:\.venv/bin/)?webnn ([a-z][^`]*)`")
VARIABLE = re.compile(r"\bWEBNN_[A-Z_]+\b")


def lines(page: str) -> Iterator[str]:
    """What follows `webnn` wherever it is typed, in blocks and in sentences."""
    for block, indented in FENCE.findall(page):
        yield from TYPED.findall(block.replace("\\\n", " ") or indented)
    yield from (" ".join(found.split()) for found in SPAN.findall(page))


def words(line: str) -> list[str]:
    before_comment = re.split(r"\s{2,}|\s#|[;|(]", line)[0]
    try:
        return shlex.split(before_comment)
    except ValueError:  # `webnn destroy` begins a quotation that the next line ends
        return before_comment.split()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_every_command_and_option_that_a_page_types_is_there(page: Path) -> None:
    for line in lines(page.read_text()):
        name, *rest = words(line)
        if name == name.upper():
            continue  # `webnn COMMAND`
        assert name in webnn.commands, f"webnn {line}"
        known = {option for parameter in webnn.commands[name].params for option in _options(parameter)}
        given = {re.split(r"[=.,)\]]", word)[0] for word in rest if re.match(r"\[?--?[a-z]", word)}
        assert {word.lstrip("[") for word in given} <= known | {"--help", "-h"}, f"webnn {line}"


def _options(parameter: click.Parameter) -> list[str]:
    return [*parameter.opts, *parameter.secondary_opts]


def test_something_is_typed() -> None:
    assert sum(len(list(lines(page.read_text()))) for page in PAGES) > 100


def test_every_command_is_told_of_beside_its_reference() -> None:
    told = {words(line)[0] for page in PAGES for line in lines(page.read_text())}
    assert set(webnn.commands) - told == set()


def test_every_target_of_make_that_a_page_types_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*##", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    typing = re.compile(r"(?:`|\$ )make ([a-z-]+)|^make ([a-z-]+)(?=  |$)", re.MULTILINE)
    typed = {name for page in PAGES for pair in typing.findall(page.read_text()) for name in pair if name}
    assert typed - targets == set()
    assert len(typed) > 8


def test_every_variable_of_the_environment_that_is_read_is_told_of() -> None:
    sources = [*(CHECKOUT / "webnn").rglob("*.py"), CHECKOUT / "Makefile", CHECKOUT / "mkdocs.yml"]
    read = {name for source in sources for name in VARIABLE.findall(source.read_text())}
    told = {name for page in PAGES for name in VARIABLE.findall(page.read_text())}
    assert read - told == set()


def test_every_error_of_the_api_has_its_line() -> None:
    """What a client of its own writing has to know: each status with its code, and what to do."""
    document = yaml.safe_load((CHECKOUT / "docs" / "openapi.yaml").read_text())["info"]["description"]
    told = {
        (int(status), code)
        for status, codes in re.findall(r"^\| (\d{3}) \| (`[^|]*) \|", document, re.MULTILINE)
        for code in re.findall(r"`(\w+)`", codes)
    }
    assert told == {*STATUS.values(), *FRAMEWORK.items(), (500, "internal")}
